import type { ForwardRun } from './decoder-graph.ts';

/** How many tokens a cached block holds: small enough that little of a shared prefix is lost. */
export const BLOCK_TOKENS = 16;

/** What the engine has to know of a backend before it plans with it. */
export interface KVAbilities {
  /**
   * Saved blocks bring a prefix back. False where a layer keeps only its newest state, which no block
   * holds: then prefixes are not cached, and a preempted sequence is computed anew.
   */
  readonly restoresPrefixes: boolean;
  /** Share of the slots' memory that `layout` needs on top of it for a moment. */
  readonly layoutShare: number;
}

/**
 * The decoder together with its KV cache, which the backend owns wherever it lies: it lays out slots,
 * feeds them to the graph and keeps what comes of it. A slot holds the tokens of one sequence from the
 * left; a cached block holds `BLOCK_TOKENS` tokens of a sequence that may have ended.
 *
 * Calls come one at a time, in the order in which the engine decided them. After one that failed
 * nobody knows what the cache holds: no other may follow.
 */
export interface KVBackend {
  readonly abilities: KVAbilities;
  /** Changes number and length of the slots; keeps the first `lengths[slot]` tokens of each that stays. */
  layout(slots: number, length: number, lengths: readonly number[]): Promise<void>;
  swap(a: number, lengthA: number, b: number, lengthB: number): Promise<void>;
  /** Copies tokens `from ..` of a slot into blocks, in order. */
  save(slot: number, from: number, blocks: readonly number[]): Promise<void>;
  /** Copies the first `tokens` tokens of the blocks to the beginning of a slot. */
  restore(slot: number, blocks: readonly number[], tokens: number): Promise<void>;
  drop(blocks: readonly number[]): Promise<void>;
  /** Runs, keeps the new keys and values, and returns each row's last logits, [rows, vocabulary]. */
  forward(run: ForwardRun): Promise<Float32Array>;
}
