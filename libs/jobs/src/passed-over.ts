/** Records of another version: who cannot read one passes it over for so long, and looks at those behind it. */
const PASSED_OVER_MS = 60_000;

/** Ids that this process passes over for a while, so that they starve nobody behind them. */
export class PassedOver {
  /** Until when, by the steady clock; the first ends first. */
  readonly #untilMs = new Map<string, number>();

  has(id: string): boolean {
    this.#forget();
    return this.#untilMs.has(id);
  }

  add(id: string): void {
    this.#untilMs.delete(id);
    this.#untilMs.set(id, performance.now() + PASSED_OVER_MS);
  }

  #forget(): void {
    for (const [id, untilMs] of this.#untilMs) {
      if (untilMs > performance.now()) return;
      this.#untilMs.delete(id);
    }
  }
}
