import type { JobTimings } from '@epd/jobs';

/** When a request reached each stage, in milliseconds of the process's clock. */
export class RequestClock {
  /** When the request was submitted: before it came here, if it was queued elsewhere. */
  readonly #made: number;
  #admitted: number | null = null;
  #blockedSince: number | null = null;
  /** How long it waited for images, before and after it first had a slot. */
  #blockedBefore = 0;
  #blockedAfter = 0;
  #firstToken: number | null = null;
  #lastToken: number | null = null;
  #tokens = 0;

  constructor(waitedMs = 0) {
    this.#made = performance.now() - waitedMs;
  }

  get admitted(): boolean {
    return this.#admitted !== null;
  }

  holdRequest(): void {
    this.block(false);
    this.#admitted ??= performance.now();
  }

  /** Sets whether it waits for an image now. Returns true when the wait has just begun. */
  block(blocked: boolean): boolean {
    if (blocked === (this.#blockedSince !== null)) return false;
    const now = performance.now();
    if (blocked) {
      this.#blockedSince = now;
      return true;
    }
    const waited = now - (this.#blockedSince ?? now);
    if (this.#admitted === null) this.#blockedBefore += waited;
    else this.#blockedAfter += waited;
    this.#blockedSince = null;
    return false;
  }

  /**
   * Records a token; only the first answer's tokens are measured. Returns true for the very first.
   */
  token(choice: number): boolean {
    const now = performance.now();
    const first = this.#firstToken === null;
    this.#firstToken ??= now;
    if (choice > 0) return first;
    this.#lastToken = now;
    this.#tokens++;
    return first;
  }

  /** `resumed`: another worker emitted the first tokens, so the time to first token is omitted. */
  timings(resumed: boolean): JobTimings {
    const admitted = this.#admitted ?? performance.now();
    const first = this.#firstToken;
    const more = this.#tokens - 1;
    return {
      queueMs: admitted - this.#made - this.#blockedBefore,
      waitForEmbeddingsMs: this.#blockedBefore + this.#blockedAfter,
      ...(first === null ? {} : { prefillMs: first - admitted - this.#blockedAfter }),
      ...(first === null || resumed ? {} : { ttftMs: first - this.#made }),
      ...(first === null || more < 1
        ? {}
        : { tpotMs: ((this.#lastToken ?? first) - first) / more }),
      totalMs: performance.now() - this.#made,
    };
  }
}
