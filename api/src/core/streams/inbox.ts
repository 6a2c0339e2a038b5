/**
 * A queue between a callback that pushes and one reader that waits, for as long as a stream lasts. Its
 * one timer and its one listener serve every wait: streams wait for each of their events.
 */
export class Inbox<T> {
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#wake();
  #items: T[] = [];
  #wake: () => void = () => undefined;
  #timer: { readonly timeout: NodeJS.Timeout; readonly ms: number } | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  push(item: T): void {
    this.#items.push(item);
    this.#wake();
  }

  /** Everything that has come, oldest first. */
  takeAll(): T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Resolves when there is something, when `ms` have passed, or when aborted. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#items.length > 0 || this.#signal.aborted) resolve();
      else this.#wakeAfter(ms);
    });
  }

  /** Releases the timer and the signal. */
  close(): void {
    clearTimeout(this.#timer?.timeout);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #wakeAfter(ms: number): void {
    if (this.#timer?.ms === ms) {
      this.#timer.timeout.refresh();
    } else {
      clearTimeout(this.#timer?.timeout);
      this.#timer = { timeout: setTimeout(() => this.#wake(), ms), ms };
    }
  }
}
