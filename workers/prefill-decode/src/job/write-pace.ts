/** Minimum gap between writes of an answer's tokens: nobody reads faster than this. */
const GAP_MS_MIN = 15;
/** Maximum gap: above this a reader would notice that the text arrives in pieces. */
const GAP_MS_MAX = 45;
/**
 * Token writes per second of one process above which the gaps grow. Each write costs this process,
 * Redis, the API and the client, while an additional token in it costs nothing.
 */
const WRITES_PER_S = 400;

/**
 * When answers' tokens are written. All answers of a process share the beats, so that the writes of
 * one beat reach Redis together, and their readers together.
 */
export class WritePace {
  readonly #answers: () => number;
  #beat: Promise<void> | null = null;

  /** `answers`: how many are being written now. */
  constructor(answers: () => number) {
    this.#answers = answers;
  }

  /** Minimum time between two writes of an answer's tokens, in milliseconds. */
  get gapMs(): number {
    return Math.min(GAP_MS_MAX, Math.max(GAP_MS_MIN, (1000 * this.#answers()) / WRITES_PER_S));
  }

  /** Resolves on the next beat, at most one gap from now. */
  beat(): Promise<void> {
    const { gapMs } = this;
    this.#beat ??= new Promise((resolve) => {
      const untilBeatMs = gapMs - (performance.now() % gapMs);
      setTimeout(() => {
        this.#beat = null;
        resolve();
      }, untilBeatMs);
    });
    return this.#beat;
  }
}
