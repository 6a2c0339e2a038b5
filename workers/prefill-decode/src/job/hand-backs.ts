import { setTimeout as sleep } from 'node:timers/promises';
import { MESSAGE_VERSION, moveBack } from '@epd/connector';
import type { Claim, JobStore } from '@epd/jobs';
import type { Logger } from '@epd/service';
import { WaitingError, type Job as QueueJob } from 'bullmq';
import type { Redis } from 'ioredis';
import type { HeldJob, Release } from './held-job.ts';

export interface HandBackOptions {
  readonly jobs: Pick<JobStore, 'handBack'>;
  /** Of the queue. */
  readonly redis: Redis;
  readonly log: Logger;
}

/** Delay before a job that this worker cannot serve may be claimed again. */
const HAND_BACK_MS = 1_000;

/**
 * Returns jobs to the queue, and releases their claims, so that other workers may serve them.
 *
 * working → stopping: from then on jobs are returned without a delay.
 */
export class HandBacks {
  readonly #options: HandBackOptions;
  readonly #stopping = new AbortController();

  constructor(options: HandBackOptions) {
    this.#options = options;
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  stop(): void {
    this.#stopping.abort();
  }

  /**
   * Returns it to any free worker. Throws `WaitingError`, which tells BullMQ that the message is
   * not done.
   */
  async now(queued: QueueJob, token?: string): Promise<never> {
    await moveBack(this.#options.redis, queued, token);
    throw new WaitingError();
  }

  /** Returns it after a delay: otherwise this worker would claim it again at once. */
  async later(queued: QueueJob, token?: string): Promise<never> {
    await this.#pause();
    return this.now(queued, token);
  }

  /** A job that was released without an ending, once what it emitted is written. */
  async held(
    held: HeldJob,
    release: Exclude<Release, 'ended' | 'lost'>,
    queued: QueueJob,
    token?: string,
  ): Promise<never> {
    await held.flush();
    const { job, fence } = held.claim;
    if (release !== 'broken') await this.#options.jobs.handBack(job.id, fence);
    if (release === 'handed_back') return this.now(queued, token);
    return this.later(queued, token);
  }

  /** A message, or a record, that only workers of another version can read. */
  async foreign(queued: QueueJob, token?: string): Promise<never> {
    const facts = { id: queued.id, known: MESSAGE_VERSION };
    this.#options.log.warn(facts, 'returning a job of an unknown record version to the queue');
    return this.later(queued, token);
  }

  /**
   * A write of the job failed, or another error occurred in this worker: the worker is alive, so it
   * is not a loss. Redis may refuse this too, for as long as it refuses writes.
   */
  async claim({ job, fence }: Claim, reason: unknown): Promise<void> {
    const { jobs, log } = this.#options;
    log.warn({ err: reason, job: job.id }, 'job returned to the queue: it cannot be served now');
    for (;;) {
      try {
        return await jobs.handBack(job.id, fence);
      } catch (err) {
        log.warn({ err, job: job.id }, 'returning a job to the queue failed; retrying');
        if (this.stopping) return;
        await this.#pause();
      }
    }
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopping;
    await sleep(HAND_BACK_MS, undefined, { signal }).catch(() => undefined);
  }
}
