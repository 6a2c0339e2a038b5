interface Waiter {
  readonly weight: number;
  readonly enter: () => void;
}

/**
 * Bounds concurrent work, by count or by weight. First in, first out: light work never overtakes
 * heavy work. Work heavier than the bound runs alone.
 */
export class Semaphore {
  readonly #bound: number;
  readonly #waiting: Waiter[] = [];
  #held = 0;

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Runs `work` once there is room, and releases the room however it ends. */
  async run<T>(work: () => Promise<T>, weight = 1): Promise<T> {
    const release = await this.acquire(weight);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Resolves once there is room, with the function that releases it; call it once. */
  async acquire(weight = 1): Promise<() => void> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ weight, enter });
      this.#admit();
    });
    return () => {
      this.#held -= weight;
      this.#admit();
    };
  }

  #admit(): void {
    for (;;) {
      const next = this.#waiting[0];
      const fits = next && (this.#held === 0 || this.#held + next.weight <= this.#bound);
      if (!fits) return;
      this.#waiting.shift();
      this.#held += next.weight;
      next.enter();
    }
  }
}
