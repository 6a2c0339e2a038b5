import type { Admission, WaitingWork } from './admission.ts';

interface Sample extends WaitingWork {
  readonly atMs: number;
}

const WINDOW_MS = 60_000;
const SAMPLE_MS = 1_000;

/** How fast the fleet ends work, from what ended in the last minute as this process saw it. */
export class Throughput {
  readonly #admission: Admission;
  #samples: Sample[] = [];

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  /** What waits now, and the rates; null while nothing has ended to judge by. */
  async look(): Promise<{
    waiting: WaitingWork;
    costPerS: number | null;
    jobsPerS: number | null;
  }> {
    const latest = await this.#latest();
    const [first] = this.#samples;
    if (first === undefined || latest.endedCount === first.endedCount) {
      return { waiting: latest, costPerS: null, jobsPerS: null };
    }
    const elapsedS = (latest.atMs - first.atMs) / 1000;
    return {
      waiting: latest,
      costPerS: (latest.endedCost - first.endedCost) / elapsedS,
      jobsPerS: (latest.endedCount - first.endedCount) / elapsedS,
    };
  }

  async #latest(): Promise<Sample> {
    const last = this.#samples.at(-1);
    const nowMs = performance.now();
    if (last !== undefined && last.atMs > nowMs - SAMPLE_MS) return last;
    const sample = { ...(await this.#admission.waiting()), atMs: nowMs };
    this.#samples = [...this.#samples.filter(({ atMs }) => atMs > nowMs - WINDOW_MS), sample];
    return sample;
  }
}
