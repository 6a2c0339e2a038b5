import { RUN_COST_TOKENS, type PrefillPace } from './prefill-pace.ts';
import type { Sequence } from '../sequences/sequence.ts';

/** Smaller remainders are not worth a run. */
const CHUNK_MIN = RUN_COST_TOKENS;

/** What one step has left for prefill: of its token budget, and of the prefill pace. */
export class PrefillRoom {
  taken = 0;
  readonly #pace: PrefillPace;
  #left: number;
  #affordable: number;

  constructor(pace: PrefillPace, budget: number, decoding: readonly Sequence[]) {
    this.#pace = pace;
    this.#left = budget - decoding.length;
    this.#affordable = pace.affordable(decoding);
  }

  /**
   * False: neither this prompt, of which `ready` tokens can be computed, nor any queued after it
   * may start.
   */
  admits(sequence: Sequence, ready: number): boolean {
    // It runs with the decodes.
    if (ready === 1) return true;
    if (this.#left < CHUNK_MIN) return false;
    return this.#open(sequence, ready) >= Math.min(ready, CHUNK_MIN);
  }

  /** How many of a prompt's `ready` tokens the step computes. */
  take(sequence: Sequence, ready: number): number {
    const count = Math.min(ready, this.#open(sequence, ready));
    if (count <= 0 || (count < ready && count < CHUNK_MIN)) return 0;
    this.#left -= count;
    this.#affordable -= count + RUN_COST_TOKENS;
    this.taken += count;
    return count;
  }

  #open(sequence: Sequence, ready: number): number {
    if (this.#pace.isOverdue(sequence, ready)) return this.#left;
    return Math.min(this.#left, this.#affordable);
  }
}
