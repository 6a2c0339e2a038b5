/** Data that a fault has taken from Redis: of one job, or (null) all that there was. */
interface Loss {
  readonly atMs: number;
  readonly job: string | null;
}

/** What faults have taken from Redis: only jobs that it concerns may be missing in the end. */
export class Losses {
  readonly #losses: Loss[] = [];

  add(loss: Loss): void {
    this.#losses.push(loss);
  }

  /** Whether a job may be gone whose client began to submit it at `sinceMs`. */
  concern(id: string | null, sinceMs: number): boolean {
    return this.#losses.some(
      ({ atMs, job }) => (job === null && atMs >= sinceMs) || (job !== null && job === id),
    );
  }
}
