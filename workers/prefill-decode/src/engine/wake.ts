/** Lets one loop sleep until it is signalled. A signal that arrives while it is awake is kept. */
export class Wake {
  #news = false;
  #resolve: (() => void) | null = null;

  call(): void {
    this.#news = true;
    this.#resolve?.();
  }

  /** Resolves at the next signal, or after `limitMs` if given. */
  async sleep(limitMs: number | null): Promise<void> {
    if (!this.#news) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#resolve = resolve;
      const timer = limitMs === null ? null : setTimeout(resolve, limitMs);
      await promise;
      if (timer) clearTimeout(timer);
      this.#resolve = null;
    }
    this.#news = false;
  }
}
