/** Signals the driver of the steps that another step may have work. */
export class ProgressSignal {
  readonly #listeners = new Set<() => void>();

  on(listener: () => void): void {
    this.#listeners.add(listener);
  }

  emit(): void {
    for (const listener of this.#listeners) listener();
  }
}
