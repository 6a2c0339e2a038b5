/**
 * A value that is made at its first use and kept. A failure is not kept: whoever asks next tries again, for what
 * failed once, in an outage say, would otherwise fail for as long as the process lives.
 */
export class Lazy<Value> {
  readonly #make: () => Promise<Value>;
  #value: Promise<Value> | null = null;

  constructor(make: () => Promise<Value>) {
    this.#make = make;
  }

  /** Those who ask while it is being made share one attempt, and its failure. */
  get(): Promise<Value> {
    this.#value ??= this.#make().catch((error: unknown) => {
      this.#value = null;
      throw error;
    });
    return this.#value;
  }

  /** What there is to close: null where nothing was made, or could not be. */
  async made(): Promise<Value | null> {
    return (await this.#value?.catch(() => null)) ?? null;
  }
}
