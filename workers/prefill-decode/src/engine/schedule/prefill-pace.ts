import type { Sequence } from '../sequences/sequence.ts';

export interface PaceLimits {
  /** Of the time in which answers are streamed, what prompts may take: 1/6 makes a token wait 1.2 times. */
  readonly share: number;
  /** A prompt that could have been computed for so long is held back no more. */
  readonly waitMs: number;
}

/** A reader notices pauses in an answer that goes on, not in one of a few words. */
const STEADY_AFTER_TOKENS = 8;
/** A run costs about as much as this many tokens in it. */
export const RUN_COST_TOKENS = 16;
/** What may be saved up, in tokens: more would be one long pause. */
const SAVED_TOKENS_MAX = 4 * RUN_COST_TOKENS;
/** A prompt that takes long by itself may also wait for longer: this many times as long. */
const WAIT_COSTS = 10;
/** Weight of the newest measurement: a tenth of them forget a change of the machine's load. */
const NEWEST = 0.1;

/**
 * How much of prompts a step may compute beside answers that are being streamed. Every decode run
 * earns time for prompts, in proportion to its own; a chunk of a prompt spends it. What a token of a
 * prompt costs is learned from the runs themselves, so the same setting suits a model of ten megabytes
 * and one of ten gigabytes. Nothing is held back while no answer is streamed, before anything has been
 * measured, or once a prompt has waited for its limit: then throughput comes first.
 */
export class PrefillPace {
  readonly #limits: PaceLimits;
  readonly #now: () => number;
  /** Milliseconds of prefill that were earned and not spent; never below 0. */
  #savedMs = 0;
  #msPerToken: number | null = null;

  constructor(limits: PaceLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Tokens of prompts that may go beside these answers; infinite where nothing is held back. */
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

  /** More of its prompt could be computed now. Returns since when that is so. */
  noteReady(sequence: Sequence): number {
    return (sequence.readySinceMs ??= this.#now());
  }

  /** From now on the sequence waits; until it is looked at, for whatever reason. */
  begin(sequence: Sequence): void {
    sequence.readySinceMs = this.#now();
  }

  /** Chunks are sent, and what they took is learned later: takes what they are expected to, and returns it. */
  charge(chunks: readonly number[]): number {
    const tokens = chunks.reduce((sum, chunk) => sum + chunk + RUN_COST_TOKENS, 0);
    const chargedMs = Math.min(this.#savedMs, tokens * (this.#msPerToken ?? 0));
    this.#savedMs -= chargedMs;
    return chargedMs;
  }

  /** What the runs of a step took: first its decodes, if any, then each chunk of a prompt. */
  learn(
    decodeRows: number,
    chunks: readonly number[],
    runsMs: readonly number[],
    chargedMs: number,
  ): void {
    if (decodeRows > 0) this.#earn(runsMs[0] ?? 0);
    this.#savedMs += chargedMs;
    const first = decodeRows > 0 ? 1 : 0;
    for (const [index, tokens] of chunks.entries()) this.#spend(tokens, runsMs[first + index] ?? 0);
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
