import { BLOCK_TOKENS, type KVAbilities } from '../../decoder/kv-backend.ts';
import { bytesPerSequence, bytesPerToken, type KVShape } from '../../decoder/kv-shape.ts';
import { bucketFor, lengthBuckets } from './length-buckets.ts';

/**
 * Share of the budget for slots while more than one fits; the rest caches prefixes. A prefix cache
 * hit saves a whole prefill, while the last slots of a full batch add little throughput.
 */
const SLOT_SHARE = 0.75;

/**
 * Derives from the budget in bytes how many slots of which length and how many cached blocks fit.
 * The budget includes what the backend needs while it changes the layout.
 */
export class MemoryPlan {
  readonly bytesPerToken: number;
  /** Maximum tokens of a sequence, prompt and answer. */
  readonly longest: number;
  /** Maximum tokens of a sequence if the model's context were unlimited. */
  readonly affordable: number;
  readonly buckets: readonly number[];
  readonly #budget: number;
  readonly #maxSlots: number;
  readonly #bytesPerSequence: number;
  readonly #abilities: KVAbilities;

  constructor(options: {
    readonly kv: KVShape;
    readonly abilities: KVAbilities;
    readonly kvCacheBytes: number;
    readonly maxBatch: number;
    readonly contextLength: number;
  }) {
    this.bytesPerToken = bytesPerToken(options.kv);
    this.#bytesPerSequence = bytesPerSequence(options.kv);
    this.#abilities = options.abilities;
    this.#budget = options.kvCacheBytes;
    this.#maxSlots = options.maxBatch;
    this.affordable = this.#tokensIn(options.kvCacheBytes);
    this.longest = Math.min(options.contextLength, this.affordable);
    this.buckets = lengthBuckets(this.longest);
  }

  bucketFor(length: number): number {
    return bucketFor(this.buckets, length);
  }

  /** How many slots of this length fit the budget; at least one for every bucket. */
  slotsAt(bucket: number): number {
    const share = this.#abilities.restoresPrefixes ? SLOT_SHARE : 1;
    const fit = Math.floor((this.#budget * share) / this.#bytesOf(bucket));
    return Math.max(1, Math.min(this.#maxSlots, fit));
  }

  /** How many cached blocks fit beside slots of this length. */
  blocksAt(bucket: number): number {
    if (!this.#abilities.restoresPrefixes) return 0;
    const left = this.#budget - this.slotBytes(bucket);
    return Math.max(0, Math.floor(left / (BLOCK_TOKENS * this.bytesPerToken)));
  }

  /** Peak memory of slots of this length, during the layout. */
  slotBytes(bucket: number): number {
    return this.slotsAt(bucket) * this.#bytesOf(bucket);
  }

  #bytesOf(bucket: number): number {
    const held = bucket * this.bytesPerToken + this.#bytesPerSequence;
    return Math.ceil(held * (1 + this.#abilities.layoutShare));
  }

  /** For a single sequence with the whole budget. */
  #tokensIn(bytes: number): number {
    const held = bytes / (1 + this.#abilities.layoutShare) - this.#bytesPerSequence;
    return Math.max(0, Math.floor(held / this.bytesPerToken));
  }
}
