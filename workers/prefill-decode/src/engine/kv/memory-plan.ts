import { BLOCK_TOKENS, type KVShape } from '../../decoder/kv-memory.ts';
import { bytesPerElement } from '../../decoder/float-array.ts';
import { bucketFor, lengthBuckets } from './length-buckets.ts';

/**
 * Share of the budget that slots take while more than one fits; the rest parks prefixes. A prefix that
 * is found again saves a whole prefill, while the last slots of a full batch add little throughput.
 */
const SLOT_SHARE = 0.75;

/** What follows from the budget in bytes: how many slots of which length, and how many parked blocks. */
export class MemoryPlan {
  readonly bytesPerToken: number;
  /** Tokens that the longest sequence may have, prompt and answer. */
  readonly longest: number;
  readonly buckets: readonly number[];
  readonly #budget: number;
  readonly #maxSlots: number;

  constructor(options: {
    readonly kv: KVShape;
    readonly kvCacheBytes: number;
    readonly maxBatch: number;
    readonly contextLength: number;
  }) {
    const { layers, kvHeads, headDim, type } = options.kv;
    this.bytesPerToken = 2 * layers * kvHeads * headDim * bytesPerElement(type);
    this.#budget = options.kvCacheBytes;
    this.#maxSlots = options.maxBatch;
    const affordable = Math.floor(options.kvCacheBytes / this.bytesPerToken);
    this.longest = Math.min(options.contextLength, affordable);
    this.buckets = lengthBuckets(this.longest);
  }

  bucketFor(length: number): number {
    return bucketFor(this.buckets, length);
  }

  /** How many slots of this length the budget pays for; at least one for every bucket. */
  slotsAt(bucket: number): number {
    const fit = Math.floor((this.#budget * SLOT_SHARE) / (bucket * this.bytesPerToken));
    return Math.max(1, Math.min(this.#maxSlots, fit));
  }

  /** How many blocks may be parked beside slots of this length. */
  blocksAt(bucket: number): number {
    const left = this.#budget - this.slotBytes(bucket);
    return Math.max(0, Math.floor(left / (BLOCK_TOKENS * this.bytesPerToken)));
  }

  slotBytes(bucket: number): number {
    return this.slotsAt(bucket) * bucket * this.bytesPerToken;
  }
}
