import type { Choice, Job, JobStore } from '@epd/jobs';
import type { QueuePositions } from '../limits/queue-positions.ts';
import type { ModelDirectory } from '../models/model-directory.ts';
import type { JobView } from './job-view-schema.ts';
import { jobView } from './job-view.ts';
import { partialChoices } from './partial-output.ts';
import { statusDetail } from './status-detail.ts';

/** Gathers what a job's view shows beside its record. */
export class JobReader {
  readonly #jobs: JobStore;
  readonly #models: ModelDirectory;
  readonly #positions: QueuePositions;

  constructor(jobs: JobStore, models: ModelDirectory, positions: QueuePositions) {
    this.#positions = positions;
    this.#jobs = jobs;
    this.#models = models;
  }

  /** `ahead`: how many go before it, where that is known already. */
  async view(job: Job, ahead?: number): Promise<JobView> {
    const [detail, partial, queue] = await Promise.all([
      this.#detail(job),
      this.partial(job),
      ahead === undefined ? this.#positions.of(job) : this.#positions.at(job.request.model, ahead),
    ]);
    return jobView(job, { statusDetail: detail, partial, ...(queue === null ? {} : { queue }) });
  }

  /** Without what an unfinished job has written so far: for lists. */
  async summary(job: Job): Promise<JobView> {
    return jobView(job, { statusDetail: await this.#detail(job), partial: [] });
  }

  async #detail(job: Job): Promise<string | null> {
    return job.ending === null
      ? statusDetail(job, await this.#models.workers(job.request.model))
      : null;
  }

  /** What a job that has no answer has written so far. */
  async partial(job: Job): Promise<Choice[]> {
    const answered = job.ending !== null && job.ending.choices.length > 0;
    if (answered || job.startedAtMs === null) return [];
    const finishReason = job.status === 'cancelled' ? 'cancelled' : null;
    const events = await this.#jobs.events(job.id, 0);
    return partialChoices(events, job.request.sampling.n, finishReason);
  }
}
