import { createHash } from 'node:crypto';
import { BLOCK_TOKENS } from '../runner/kv-memory.ts';
import type { Sequence } from './sequence.ts';

interface Block {
  readonly id: number;
  /** Images whose last token is in the block: with all before it, the block covers them. */
  readonly covers: readonly string[];
}

/**
 * Which parked blocks hold which prefix. A block's key is a digest of its tokens, of the images in it
 * and of the key before it, so equal keys mean equal prefixes, whichever sequences made them. Blocks
 * are dropped least recently used first; of one sequence the last before the first, since a block
 * without those before it is of no use.
 */
export class PrefixCache {
  /** In order of use: a used entry moves to the end. */
  readonly #blocks = new Map<string, Block>();
  readonly #free: number[] = [];
  #issued = 0;
  #capacity = 0;

  /** Tokens that all parked blocks hold. */
  get tokens(): number {
    return this.#blocks.size * BLOCK_TOKENS;
  }

  /** Sets how many blocks may be held; returns the ids of those that had to go. */
  resize(capacity: number): number[] {
    this.#capacity = capacity;
    const dropped: number[] = [];
    while (this.#blocks.size > capacity) dropped.push(this.#evict());
    this.#free.push(...dropped);
    return dropped;
  }

  /** Blocks that hold the longest known prefix of the sequence, short of its last token. */
  match(sequence: Sequence): number[] {
    const most = Math.floor((sequence.length - 1) / BLOCK_TOKENS);
    const ids: number[] = [];
    for (let index = 0; index < most; index++) {
      const block = this.#blocks.get(blockKey(sequence, index));
      if (!block) break;
      ids.push(block.id);
    }
    return ids;
  }

  /** Marks a sequence's first blocks as used now. */
  touch(sequence: Sequence, count: number): void {
    for (let index = count - 1; index >= 0; index--) {
      const key = blockKey(sequence, index);
      const block = this.#blocks.get(key);
      if (!block) continue;
      this.#blocks.delete(key);
      this.#blocks.set(key, block);
    }
  }

  /**
   * Takes in the whole blocks among the sequence's computed tokens that are not held yet. Returns where
   * they begin and the ids to copy them to, as far as there is room.
   */
  insert(sequence: Sequence): { from: number; ids: number[] } {
    const whole = Math.min(Math.floor(sequence.computed / BLOCK_TOKENS), this.#capacity);
    let held = 0;
    while (held < whole && this.#blocks.has(blockKey(sequence, held))) held++;
    this.touch(sequence, held);
    const ids: number[] = [];
    for (let index = held; index < whole; index++) {
      const key = blockKey(sequence, index);
      // It may be there although one before it is not; what it holds is the same.
      const id = this.#blocks.get(key)?.id ?? this.#allocate();
      this.#blocks.set(key, { id, covers: coveredIn(sequence, index) });
      ids.push(id);
    }
    this.touch(sequence, whole);
    return { from: held * BLOCK_TOKENS, ids };
  }

  /** Images that some parked prefix covers. */
  images(): Set<string> {
    const images = new Set<string>();
    for (const { covers } of this.#blocks.values()) for (const mmHash of covers) images.add(mmHash);
    return images;
  }

  #allocate(): number {
    if (this.#blocks.size >= this.#capacity) return this.#evict();
    return this.#free.pop() ?? this.#issued++;
  }

  #evict(): number {
    const [oldest] = this.#blocks;
    if (!oldest) throw new RangeError('There is no block to evict');
    this.#blocks.delete(oldest[0]);
    return oldest[1].id;
  }
}

/** The key of a sequence's block; those before it are computed on the way and remembered. */
function blockKey(sequence: Sequence, index: number): string {
  const { blockKeys, tokens } = sequence;
  for (let at = blockKeys.length; at <= index; at++) {
    const start = at * BLOCK_TOKENS;
    const hash = createHash('sha256').update(blockKeys[at - 1] ?? '');
    hash.update(Int32Array.from(tokens.slice(start, start + BLOCK_TOKENS)));
    for (const image of sequence.images) {
      const row = image.positions.findIndex((position) => position >= start);
      const position = image.positions[row];
      if (position === undefined || position >= start + BLOCK_TOKENS) continue;
      hash.update(`${image.mmHash}:${row}:${position - start};`);
    }
    blockKeys.push(hash.digest('base64'));
  }
  return blockKeys[index] ?? '';
}

function coveredIn(sequence: Sequence, index: number): string[] {
  const start = index * BLOCK_TOKENS;
  return sequence.images
    .filter(({ positions }) => {
      const last = positions.at(-1) ?? -1;
      return last >= start && last < start + BLOCK_TOKENS;
    })
    .map(({ mmHash }) => mmHash);
}
