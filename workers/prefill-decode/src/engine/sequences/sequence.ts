import type { Sampling } from '@epd/jobs';
import type { PromptPositions } from '@epd/model';
import { BLOCK_TOKENS } from '../../decoder/kv-backend.ts';
import { DraftLookup, type DraftEnds } from '../drafts/draft-lookup.ts';
import { lastPosition, type ImageSpan } from './image-span.ts';

/** A position in a grid is a frame, a row and a column. */
const AXES = 3;

/**
 * What a token represents: itself, or a row of an image. Equal units at equal positions have equal
 * KV.
 */
export type Unit = number | string;

/**
 * One unfinished answer. It is waiting (no slot, nothing computed), running (a slot whose first
 * `computed` tokens are cached once the steps in flight complete) or finished. Steps are scheduled
 * before the tokens of the previous step are known, so `length` includes awaited tokens.
 *
 * cached ≤ computed ≤ length = tokens.length + awaited; cached ≤ tokens.length, so keys and values of
 * a draft that is not kept are never cached: the next step overwrites them. Without a slot both are
 * 0. Whoever changes `slot`, `computed`, `cached`, `awaited` or `underWay` is the scheduler.
 */
export class Sequence {
  readonly key: number;
  readonly requestId: string;
  readonly choice: number;
  readonly priority: number;
  /** Whose cached prefixes it may use, and who may use its own. */
  readonly scope: string;
  readonly sampling: Sampling;
  /** The tokens that end it. */
  readonly endIds: readonly number[];
  readonly promptLength: number;
  readonly images: readonly ImageSpan[];
  /** By mm_hash: the token from which the image is no longer needed. */
  readonly lastUses: ReadonlyMap<string, number>;
  /** Prompt and answer. */
  readonly tokens: number[];
  /** Predicts the answer's next tokens; null: none are drafted. */
  drafts: DraftLookup | null;
  slot: number | null = null;
  computed = 0;
  /** Tokens whose keys and values completed steps stored in the slot. */
  cached = 0;
  /** Tokens that steps in flight will sample; with drafts, the most that they can. */
  awaited = 0;
  /** Steps in flight with work of this sequence. */
  underWay = 0;
  finished = false;
  /** Tokens that were computed when it last lost its slot. */
  reached = 0;
  /** Since when more of its prompt could be computed; null: nothing could at the last check. */
  readySinceMs: number | null = null;
  /** Prompt tokens that the last admission found cached. */
  reused = 0;
  /** The choice whose prefill this one waits for, to reuse the prompt from the prefix cache. */
  readonly leader: Sequence | null;
  /** The prompt's blocks were added to the prefix cache. */
  promptCached = false;
  readonly #blockKeys: string[] = [];
  readonly #gridPositions: PromptPositions | null;
  readonly #imageUnits: Map<number, string>;

  constructor(facts: {
    readonly key: number;
    readonly requestId: string;
    readonly choice: number;
    readonly priority: number;
    readonly scope: string;
    readonly sampling: Sampling;
    readonly endIds: readonly number[];
    readonly prompt: readonly number[];
    readonly images: readonly ImageSpan[];
    readonly gridPositions: PromptPositions | null;
    readonly lastUses: ReadonlyMap<string, number>;
    readonly resume: readonly number[];
    readonly leader: Sequence | null;
    /** Absent: no tokens are drafted. */
    readonly draftEnds?: DraftEnds;
  }) {
    this.key = facts.key;
    this.requestId = facts.requestId;
    this.choice = facts.choice;
    this.priority = facts.priority;
    this.scope = facts.scope;
    this.sampling = facts.sampling;
    this.endIds = facts.endIds;
    this.images = facts.images;
    this.lastUses = facts.lastUses;
    this.leader = facts.leader;
    this.promptLength = facts.prompt.length;
    this.tokens = [...facts.prompt, ...facts.resume];
    this.drafts = facts.draftEnds ? new DraftLookup(this.tokens, facts.draftEnds) : null;
    this.#imageUnits = imageUnits(facts.images);
    this.#gridPositions = facts.gridPositions;
  }

  get length(): number {
    return this.tokens.length + this.awaited;
  }

  get generated(): number {
    return this.length - this.promptLength;
  }

  /** All but the newest token are computed: the next step samples a token. */
  get decoding(): boolean {
    return this.slot !== null && this.length - this.computed === 1;
  }

  /**
   * False while another choice of the same request computes the shared prompt, and while a step
   * from before the preemption is in flight: its token belongs to the tokens to start with.
   */
  get mayStart(): boolean {
    if (this.underWay > 0) return false;
    return this.leader === null || this.leader.promptCached || this.leader.finished;
  }

  /** Adds a token of the answer. */
  push(token: number): void {
    this.tokens.push(token);
    this.drafts?.grown();
  }

  /** What tokens `start .. end` represent: image tokens name their image and its row. */
  units(start: number, end: number): Unit[] {
    const tokens: Unit[] = this.tokens.slice(start, end);
    if (this.#imageUnits.size === 0) return tokens;
    return tokens.map((token, index) => this.#imageUnits.get(start + index) ?? token);
  }

  /**
   * Positions of tokens `start .. end`, [3, end - start]; null where each one's position is its
   * index.
   */
  positions(start: number, end: number): Int32Array | null {
    if (this.#gridPositions === null) return null;
    const { rows, delta } = this.#gridPositions;
    const prompt = rows.length / AXES;
    const count = end - start;
    return Int32Array.from({ length: AXES * count }, (_, index) => {
      const at = start + (index % count);
      return at < prompt ? rows[Math.floor(index / count) * prompt + at]! : at + delta;
    });
  }

  /** The units of a whole block in one string. Tokens never change, so it is computed once. */
  blockKey(index: number): string {
    const start = index * BLOCK_TOKENS;
    return (this.#blockKeys[index] ??= this.units(start, start + BLOCK_TOKENS).join());
  }

  imagesEndingIn(start: number, end: number): string[] {
    const ending = this.images.filter((image) => {
      const last = lastPosition(image);
      return last >= start && last < end;
    });
    return ending.map(({ mmHash }) => mmHash);
  }

  /** Images that tokens past `computed` still need. */
  imagesAhead(computed: number): ImageSpan[] {
    return this.images.filter((image) => lastPosition(image) >= computed);
  }
}

/** Lower priority first, then first in, first out. */
export const byTurn = (a: Sequence, b: Sequence): number =>
  a.priority - b.priority || a.key - b.key;

function imageUnits(images: readonly ImageSpan[]): Map<number, string> {
  const units = images.flatMap(({ mmHash, positions }) =>
    positions.map((position, row) => [position, `${mmHash}:${row}`] as const),
  );
  return new Map(units);
}
