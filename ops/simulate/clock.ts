interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** Simulated time: acts in the order of their times, and of their setting where those are equal. */
export class Clock {
  nowMs = 0;
  readonly #heap: Timer[] = [];
  #order = 0;

  at(atMs: number, act: () => void): void {
    this.#heap.push({ atMs: Math.max(atMs, this.nowMs), order: (this.#order += 1), act });
    this.#rise(this.#heap.length - 1);
  }

  after(delayMs: number, act: () => void): void {
    this.at(this.nowMs + delayMs, act);
  }

  /** Runs until nothing is left to happen, or `while` says no. */
  run(goesOn: () => boolean): void {
    while (this.#heap.length > 0 && goesOn()) {
      const timer = this.#pop();
      this.nowMs = timer.atMs;
      timer.act();
    }
  }

  #pop(): Timer {
    const first = this.#heap[0]!;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  #rise(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  #sink(from: number): void {
    let index = from;
    for (;;) {
      const children = [2 * index + 1, 2 * index + 2].filter((child) => child < this.#heap.length);
      const least = children.toSorted((a, b) => (this.#before(a, b) ? -1 : 1))[0];
      if (least === undefined || !this.#before(least, index)) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a]!, this.#heap[b]!];
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
