/** The form of a model's cache. One token costs `2 * layers * kvHeads * headDim` elements. */
export interface KVShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly type: 'float32' | 'float16';
}

/** How many tokens a parked block holds: small enough that little of a shared prefix is lost. */
export const BLOCK_TOKENS = 16;

/**
 * Keys and values by slot, wherever they are kept. A slot holds the tokens of one sequence from the
 * left; a parked block holds `BLOCK_TOKENS` tokens of a sequence that may have ended.
 */
export interface KVMemory {
  readonly slots: number;
  /** Tokens that a slot has room for: the same for all, so that rows can share a run. */
  readonly length: number;
  /** Changes both; keeps the first `lengths[slot]` tokens of each slot that is still there. */
  layout(slots: number, length: number, lengths: readonly number[]): void;
  swap(a: number, lengthA: number, b: number, lengthB: number): void;
  /** Copies tokens `from ..` of a slot into blocks, in order. */
  save(slot: number, from: number, blocks: readonly number[]): void;
  /** Copies the first `tokens` tokens of the blocks to the beginning of a slot. */
  restore(slot: number, blocks: readonly number[], tokens: number): void;
  drop(blocks: readonly number[]): void;
}
