import type { ForwardRun } from './decoder-graph.ts';

/** Tokens per cached block: small enough that little of a shared prefix is lost to rounding. */
export const BLOCK_TOKENS = 16;

/** Properties of a backend that the engine needs for its plan. */
export interface KVAbilities {
  /**
   * Whether saved blocks can restore a prefix. False where a layer keeps only its newest state,
   * which no block holds: then prefixes are not cached and a preempted sequence is recomputed.
   */
  readonly restoresPrefixes: boolean;
  /** Extra memory that `layout` needs temporarily, as a share of the slots' memory. */
  readonly layoutShare: number;
}

/**
 * The decoder and its KV cache. The backend owns the cache, wherever its memory is: it lays out
 * slots, feeds them to the graph and stores the results. A slot holds the tokens of one sequence,
 * left-aligned; a cached block holds `BLOCK_TOKENS` tokens of a sequence that may have ended.
 *
 * The engine calls one operation at a time, in the order of its decisions. After a failed call the
 * content of the cache is unknown: no other call may follow.
 */
export interface KVBackend {
  readonly abilities: KVAbilities;
  /**
   * Changes the number and length of the slots; keeps the first `lengths[slot]` tokens of each
   * remaining slot.
   */
  layout(slots: number, length: number, lengths: readonly number[]): Promise<void>;
  swap(a: number, lengthA: number, b: number, lengthB: number): Promise<void>;
  /** Copies tokens `from ..` of a slot into blocks, in order. */
  save(slot: number, from: number, blocks: readonly number[]): Promise<void>;
  /** Copies the first `tokens` tokens of the blocks to the beginning of a slot. */
  restore(slot: number, blocks: readonly number[], tokens: number): Promise<void>;
  drop(blocks: readonly number[]): Promise<void>;
  /**
   * Rows of the last run whose keys or values were not finite. Nothing of them is stored: whatever lies past a
   * row's length takes part in sums with a weight of 0, and 0 times no number is none.
   */
  readonly overflown: ReadonlySet<number>;
  /**
   * Runs the decoder, stores the new keys and values, and returns the wanted logits, row after row,
   * [sum of `run.logits`, vocabulary].
   */
  forward(run: ForwardRun): Promise<Float32Array>;
}
