/** Which lines of a batch have a result, as the process knows that works at it. Lines are counted from 0. */
export class LineProgress {
  readonly #done: Set<number>;
  /** Every line before it has a result. */
  #first = 0;

  constructor(done: Iterable<number>) {
    this.#done = new Set(done);
  }

  get count(): number {
    return this.#done.size;
  }

  has(line: number): boolean {
    return this.#done.has(line);
  }

  add(line: number): void {
    this.#done.add(line);
  }

  /** The first `limit` lines of `total` without a result. */
  pending(total: number, limit: number): number[] {
    while (this.#done.has(this.#first)) this.#first += 1;
    const lines: number[] = [];
    for (let line = this.#first; line < total && lines.length < limit; line++) {
      if (!this.#done.has(line)) lines.push(line);
    }
    return lines;
  }
}
