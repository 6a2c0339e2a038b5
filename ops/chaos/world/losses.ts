/** Data that a fault has deleted from Redis: of one job, or (null) all. */
interface Loss {
  readonly atMs: number;
  readonly job: string | null;
}

/** What faults have deleted from Redis: only jobs that it concerns may be missing in the end. */
export class Losses {
  readonly #losses: Loss[] = [];

  add(loss: Loss): void {
    this.#losses.push(loss);
  }

  /** Whether a job may be missing whose client began to submit it at `sinceMs`. */
  concern(id: string | null, sinceMs: number): boolean {
    return this.#losses.some(
      ({ atMs, job }) => (job === null && atMs >= sinceMs) || (job !== null && job === id),
    );
  }
}
