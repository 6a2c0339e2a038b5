import type { EncodeRequester } from '@epd/connector';
import type { Job, JobStore } from '@epd/jobs';

/** Ends jobs from outside, and lets go of what they waited for. */
export class JobEnder {
  readonly #jobs: JobStore;
  readonly #encodes: Pick<EncodeRequester, 'release'>;

  constructor(jobs: JobStore, encodes: Pick<EncodeRequester, 'release'>) {
    this.#jobs = jobs;
    this.#encodes = encodes;
  }

  /** The job as it ended: cancelled now, or however it had ended before. */
  async cancel(job: Job): Promise<Job> {
    if (job.ending === null) {
      const timings = { totalMs: Math.max(0, Date.now() - job.createdAtMs) }; // two clocks
      // What was written stays readable in the stream, and the job's view shows it from there.
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

  /** Encodes that nobody else waits for are taken off their queue. */
  async release({ id, request }: Job): Promise<void> {
    const { images, model } = request;
    await Promise.allSettled(images.map(({ mmHash }) => this.#encodes.release(mmHash, id, model)));
  }
}
