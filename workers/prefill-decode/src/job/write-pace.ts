/** Nobody reads faster than this: tokens of an answer are written so far apart at least. */
const GAP_MS_MIN = 15;
/** Above this a reader would see the text come in pieces. */
const GAP_MS_MAX = 45;
/**
 * Writes of tokens that one process makes in a second before its answers' gaps grow. Each costs this process,
 * Redis, the API and the client something, while a token more in it costs nothing.
 */
const WRITES_PER_S = 400;

/**
 * When answers' tokens are written. All answers of a process share the beats, so that what is written on one
 * goes to Redis together, and comes from it together to those who read.
 */
export class WritePace {
  readonly #answers: () => number;
  #beat: Promise<void> | null = null;

  /** `answers`: how many are being written now. */
  constructor(answers: () => number) {
    this.#answers = answers;
  }

  /** Least time between two writes of an answer's tokens, in milliseconds. */
  get gapMs(): number {
    return Math.min(GAP_MS_MAX, Math.max(GAP_MS_MIN, (1000 * this.#answers()) / WRITES_PER_S));
  }

  /** Resolves on the next beat, a gap from now at most. */
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
