/** A queue between a callback that pushes and one reader that waits. */
export class Inbox<T> {
  #items: T[] = [];
  #wake: (() => void) | null = null;

  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  /** Everything that has come, oldest first. */
  takeAll(): T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /** Resolves when there is something, when `ms` have passed, or when aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#items.length > 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => resolve(), {
      once: true,
      signal: this.#untilDone(promise),
    });
    this.#wake = resolve;
    await promise;
    this.#wake = null;
    clearTimeout(timer);
  }

  /** Takes the listener off a signal that may live as long as the stream does. */
  #untilDone(promise: Promise<void>): AbortSignal {
    const done = new AbortController();
    void promise.then(() => done.abort());
    return done.signal;
  }
}
