/** Lets one loop sleep until somebody has news for it. News that comes while it is awake is kept. */
export class Wake {
  #news = false;
  #resolve: (() => void) | null = null;

  call(): void {
    this.#news = true;
    this.#resolve?.();
  }

  /** Resolves at the next news, or after `limitMs` when that is given. */
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
