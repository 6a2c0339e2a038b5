interface Waiter {
  readonly tokens: number;
  readonly enter: () => void;
}

/**
 * Bounds the visual tokens of the images held as pixels, which is what takes the memory: a large image
 * is thousands of times a small one. First come, first served; an image over the bound enters alone.
 */
export class TokenGate {
  readonly #tokensMax: number;
  readonly #waiting: Waiter[] = [];
  #held = 0;

  constructor(tokensMax: number) {
    this.#tokensMax = tokensMax;
  }

  /** Runs `hold` once there is room, and gives the room back however it ends. */
  async within<R>(tokens: number, hold: () => Promise<R>): Promise<R> {
    await this.#enter(tokens);
    try {
      return await hold();
    } finally {
      this.#held -= tokens;
      this.#admit();
    }
  }

  #enter(tokens: number): Promise<void> {
    return new Promise((enter) => {
      this.#waiting.push({ tokens, enter });
      this.#admit();
    });
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      const fits = next && (this.#held === 0 || this.#held + next.tokens <= this.#tokensMax);
      if (!fits) return;
      this.#waiting.shift();
      this.#held += next.tokens;
      next.enter();
    }
  }
}
