import type { EncodeRequester } from '@epd/connector';
import type { Job, JobStore } from '@epd/jobs';

/** Ends jobs on request, and releases their image encodes. */
export class JobEnder {
  readonly #jobs: JobStore;
  readonly #encodes: Pick<EncodeRequester, 'release'>;

  constructor(jobs: JobStore, encodes: Pick<EncodeRequester, 'release'>) {
    this.#jobs = jobs;
    this.#encodes = encodes;
  }

  /** The ended job: cancelled now, or ended before. */
  async cancel(job: Job): Promise<Job> {
    if (job.ending === null) {
      const timings = { totalMs: Math.max(0, Date.now() - job.createdAtMs) }; // two clocks
      // The stream keeps the partial output, and the job's view shows it from there.
      await this.#jobs.finish(job.id, {
        status: 'cancelled',
        choices: [],
        usage: null,
        timings,
        error: null,
      });
      await this.release(job);
    }
    return (await this.#jobs.get(job.id)) ?? job;
  }

  /** Cancels queued encodes without other waiters. */
  async release({ id, request }: Job): Promise<void> {
    const { images, model } = request;
    await Promise.allSettled(images.map(({ mmHash }) => this.#encodes.release(mmHash, id, model)));
  }
}
