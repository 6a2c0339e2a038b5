import type { ForwardRun } from '../../src/decoder/decoder-graph.ts';
import { BLOCK_TOKENS, type KVBackend } from '../../src/decoder/kv-backend.ts';

/** Tokens are 0 to 3. */
const VOCABULARY = 4;
/** One token in this many is surprising. */
const SURPRISE = 7;

/**
 * The token after these: mostly what the last two decide, so that answers repeat themselves, and now
 * and then something that all of them decide, so that a wrong one anywhere is seen.
 */
export function following(tokens: readonly number[]): number {
  const all = tokens.reduce((hash, token) => mixed(hash ^ (token + 1)), 7);
  if (all % SURPRISE === 0) return (all >>> 8) % VOCABULARY;
  return mixed((tokens.at(-1) ?? 0) * 5 + (tokens.at(-2) ?? 0)) % VOCABULARY;
}

const mixed = (value: number): number => {
  const once = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  return (once ^ (once >>> 12)) >>> 0;
};

/**
 * A decoder by rule, whose keys and values of a token are the token. It answers from what its slots
 * hold, so an answer shows whether they hold the right tokens. `overflows`: a row with a draft that
 * does not follow from the tokens before it gives no numbers.
 */
export class CopyingDecoder implements KVBackend {
  readonly abilities = { restoresPrefixes: true, layoutShare: 0 };
  readonly #overflows: boolean;
  #slots: number[][] = [];
  #overflown = new Set<number>();
  readonly #blocks = new Map<number, number[]>();

  constructor({ overflows }: { readonly overflows: boolean }) {
    this.#overflows = overflows;
  }

  get overflown(): ReadonlySet<number> {
    return this.#overflown;
  }

  async layout(slots: number, _length: number, lengths: readonly number[]): Promise<void> {
    this.#slots = Array.from({ length: slots }, (_, slot) =>
      (this.#slots[slot] ?? []).slice(0, lengths[slot] ?? 0),
    );
  }

  async swap(a: number, lengthA: number, b: number, lengthB: number): Promise<void> {
    const heldA = this.#slot(a).slice(0, lengthA);
    this.#slots[a] = this.#slot(b).slice(0, lengthB);
    this.#slots[b] = heldA;
  }

  async save(slot: number, from: number, blocks: readonly number[]): Promise<void> {
    for (const [index, id] of blocks.entries()) {
      const start = from + index * BLOCK_TOKENS;
      this.#blocks.set(id, this.#slot(slot).slice(start, start + BLOCK_TOKENS));
    }
  }

  async restore(slot: number, blocks: readonly number[], tokens: number): Promise<void> {
    this.#slots[slot] = blocks.flatMap((id) => this.#blocks.get(id) ?? []).slice(0, tokens);
  }

  async drop(blocks: readonly number[]): Promise<void> {
    for (const id of blocks) this.#blocks.delete(id);
  }

  async forward(run: ForwardRun): Promise<Float32Array> {
    this.#overflown = new Set();
    const logits = Array.from(run.count).flatMap((_, row) => this.#row(run, row));
    return Float32Array.from(logits);
  }

  #row(run: ForwardRun, row: number): number[] {
    const { width, embeds } = run;
    const [past = 0, count = 0, wanted = 0] = [run.past[row], run.count[row], run.logits[row]];
    const slot = this.#slot(run.firstSlot + row);
    const added = [...embeds.subarray(row * width, row * width + count)];
    const held = [...slot.slice(0, past), ...added];
    if (this.#overflows && wanted > 1 && this.#isOdd(held, past)) {
      this.#overflown.add(row);
      return Array.from({ length: wanted * VOCABULARY }, () => Number.NaN);
    }
    slot.splice(past, count, ...added);
    return Array.from({ length: wanted }, (_, at) => {
      const next = following(held.slice(0, held.length - wanted + at + 1));
      return Array.from({ length: VOCABULARY }, (__, id) => Number(id === next));
    }).flat();
  }

  /** One of the drafts does not follow. */
  #isOdd(held: readonly number[], past: number): boolean {
    return held.some((token, at) => at > past && token !== following(held.slice(0, at)));
  }

  #slot(slot: number): number[] {
    const held = this.#slots[slot];
    if (!held) throw new RangeError(`There is no slot ${slot}`);
    return held;
  }
}
