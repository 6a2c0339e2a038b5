import type { Sequence } from '../sequences/sequence.ts';

export interface PaceLimits {
  /**
   * Share of the time that prefill may take while answers are streamed: 1/6 makes a token take 1.2
   * times as long.
   */
  readonly share: number;
  /** A prompt that was ready for this long is no longer delayed. */
  readonly waitMs: number;
}

/** A reader notices pauses in a long answer, not in one of a few words. */
const STEADY_AFTER_TOKENS = 8;
/** The fixed cost of a run, in tokens. */
export const RUN_COST_TOKENS = 16;
/** Maximum credit, in tokens: more would become one long pause. */
const SAVED_TOKENS_MAX = 4 * RUN_COST_TOKENS;
/** A long prompt may also be delayed for longer: this many times its own prefill time. */
const WAIT_COSTS = 10;
/**
 * Weight of the newest measurement: small enough to smooth noise, large enough to follow the
 * machine's load.
 */
const NEWEST = 0.1;

/**
 * Limits how many prefill tokens a step may compute while answers are streamed. Every decode run
 * earns time for prefill in proportion to its own; a prefill chunk spends it. The cost of a prompt
 * token is measured on the runs themselves, so the same setting suits a model of ten megabytes and
 * one of ten gigabytes. No prompt is delayed while no answer is streamed, before the first
 * measurement, or once a prompt has waited for its limit: then throughput comes first.
 */
export class PrefillPace {
  readonly #limits: PaceLimits;
  readonly #now: () => number;
  /** Milliseconds of prefill earned and not spent; never below 0. */
  #savedMs = 0;
  #msPerToken: number | null = null;

  constructor(limits: PaceLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Prompt tokens that may run beside these answers; infinite where no prompt is delayed. */
  affordable(decoding: readonly Sequence[]): number {
    const steady = decoding.some(({ generated }) => generated >= STEADY_AFTER_TOKENS);
    if (!steady || this.#limits.share >= 1 || this.#msPerToken === null) return Infinity;
    return Math.floor(this.#savedMs / this.#msPerToken) - RUN_COST_TOKENS;
  }

  /** Whether the prompt, of which `ready` tokens could be computed now, has waited for its limit. */
  isOverdue(sequence: Sequence, ready: number): boolean {
    if (ready <= 0) {
      sequence.readySinceMs = null;
      return false;
    }
    const sinceMs = this.noteReady(sequence);
    const costMs = (sequence.promptLength + RUN_COST_TOKENS) * (this.#msPerToken ?? 0);
    return this.#now() - sinceMs >= Math.max(this.#limits.waitMs, WAIT_COSTS * costMs);
  }

  /** Records that more of its prompt could be computed now. Returns since when. */
  noteReady(sequence: Sequence): number {
    return (sequence.readySinceMs ??= this.#now());
  }

  /** The sequence waits from now until its next check, for whatever reason. */
  begin(sequence: Sequence): void {
    sequence.readySinceMs = this.#now();
  }

  /** Chunks are sent and measured later: spends their expected time, and returns it. */
  charge(chunks: readonly number[]): number {
    const tokens = chunks.reduce((sum, chunk) => sum + chunk + RUN_COST_TOKENS, 0);
    const chargedMs = Math.min(this.#savedMs, tokens * (this.#msPerToken ?? 0));
    this.#savedMs -= chargedMs;
    return chargedMs;
  }

  /** Records the times of a step's runs: first those that decode, then each prefill chunk. */
  learn(
    decodeRuns: number,
    chunks: readonly number[],
    runsMs: readonly number[],
    chargedMs: number,
  ): void {
    if (decodeRuns > 0) this.#earn(runsMs.slice(0, decodeRuns).reduce((sum, ms) => sum + ms, 0));
    this.#savedMs += chargedMs;
    for (const [index, tokens] of chunks.entries())
      this.#spend(tokens, runsMs[decodeRuns + index] ?? 0);
  }

  #earn(ms: number): void {
    const { share } = this.#limits;
    if (share >= 1) return;
    const earnedMs = (ms * share) / (1 - share);
    const mostMs = Math.max(earnedMs, SAVED_TOKENS_MAX * (this.#msPerToken ?? 0));
    this.#savedMs = Math.min(this.#savedMs + earnedMs, mostMs);
  }

  #spend(tokens: number, ms: number): void {
    const measured = ms / (tokens + RUN_COST_TOKENS);
    const known = this.#msPerToken ?? measured;
    this.#msPerToken = known + NEWEST * (measured - known);
    this.#savedMs = Math.max(0, this.#savedMs - ms);
  }
}
