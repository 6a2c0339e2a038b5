/**
 * A value that is created on first use and kept. A failure is not kept: the next call tries again,
 * because one failure, for example in an outage, would otherwise last as long as the process.
 */
export class Lazy<Value> {
  readonly #make: () => Promise<Value>;
  #value: Promise<Value> | null = null;

  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  /** Concurrent callers share one attempt, and its failure. */
  get(): Promise<Value> {
    this.#value ??= this.#make().catch((error: unknown) => {
      this.#value = null;
      throw error;
    });
    return this.#value;
  }

  /** The value to close; null if none was created, or creating it failed. */
  async made(): Promise<Value | null> {
    return (await this.#value?.catch(() => null)) ?? null;
  }
}
