/** Tells whoever drives the steps that another step may have something to do. */
export class ProgressSignal {
  readonly #listeners = new Set<() => void>();

  on(listener: () => void): void {
    this.#listeners.add(listener);
  }

  emit(): void {
    for (const listener of this.#listeners) listener();
  }
}
