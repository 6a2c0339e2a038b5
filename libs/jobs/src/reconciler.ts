import { serverTimeMs } from '@epd/connector';
import type { Redis } from 'ioredis';
import { RecordError } from './errors.ts';
import { GenerateQueues } from './generate-queues.ts';
import { DAMAGED_ENDING } from './damaged-record.ts';
import { jobKeys, type JobKeys } from './job-keys.ts';
import { LiveJobs } from './live-jobs.ts';
import type { JobStore } from './job-store.ts';
import type { Ending, Job } from './job.ts';
import { skippedIds } from './skipped-ids.ts';
import { pruneExpired } from './prune-expired.ts';

export interface ReconcilerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: JobStore;
  readonly intervalMs?: number;
  /** Called with each job that it ended, so that the job's reservations can be released. */
  readonly onExpired?: (job: Job) => Promise<void>;
  /** Called for each live job whose generate job was lost and is requeued. */
  readonly onLost?: (id: string) => void;
  readonly onError?: (error: unknown) => void;
}

/** Deadlines are promised to the second, not closer. */
const DEFAULT_INTERVAL_MS = 1_000;
/** Jobs expired per round: bounds a round to a few hundred milliseconds. */
const MAX_EXPIRED_PER_ROUND = 1_000;
/** Entries of one reply. */
const PAGE = 500;
/** Index entries dropped per round: far more jobs than a fleet ends in that time. */
const MAX_PRUNED_PER_ROUND = 10_000;

/**
 * Ensures that every accepted job ends: expires jobs past a deadline, restores what Redis lost of
 * live jobs, and drops index entries whose record is gone. Every API process runs one. A short lock
 * lets one of them work at a time, and every action is idempotent in case two do.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #keys: JobKeys;
  readonly #queues: GenerateQueues;
  readonly #live: LiveJobs;
  readonly #foreign = skippedIds();
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#keys = jobKeys(options.prefix);
    this.#queues = new GenerateQueues(options.redis, options.prefix);
    this.#live = new LiveJobs({ ...options, queues: this.#queues });
  }

  start(): void {
    const intervalMs = this.#options.intervalMs ?? DEFAULT_INTERVAL_MS;
    this.#timer ??= setInterval(() => {
      this.#round = this.#round
        .then(() => this.runOnce())
        .catch((error: unknown) => this.#options.onError?.(error));
    }, intervalMs);
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#round;
    await this.#queues.close();
  }

  /** One round, unless another process is running one. */
  async runOnce(): Promise<void> {
    const lock = `${this.#options.prefix}:reconciler`;
    const lockMs = this.#options.intervalMs ?? DEFAULT_INTERVAL_MS;
    if ((await this.#options.redis.set(lock, '1', 'PX', lockMs, 'NX')) === null) return;
    const nowMs = await serverTimeMs(this.#options.redis);
    await this.#expireDue(nowMs);
    await this.#mendLive(nowMs);
    await pruneExpired(this.#options.redis, this.#keys, nowMs, MAX_PRUNED_PER_ROUND);
  }

  /** Handled entries leave the list; entries for another version are skipped. */
  async #expireDue(nowMs: number): Promise<void> {
    let handled = 0;
    for (let passed = 0; handled < MAX_EXPIRED_PER_ROUND;) {
      const due = await this.#due(nowMs, passed);
      for (const id of due) {
        if (await this.#readable(id, () => this.#expireOne(id, nowMs))) handled += 1;
        else passed += 1;
      }
      if (due.length < PAGE) return;
    }
  }

  #due(nowMs: number, after: number): Promise<string[]> {
    const { redis } = this.#options;
    return redis.zrangebyscore(this.#keys.deadlines, 0, nowMs, 'LIMIT', after, PAGE);
  }

  async #expireOne(id: string, nowMs: number): Promise<void> {
    const { redis, jobs, onExpired } = this.#options;
    const job = await jobs.get(id);
    if (job === null || job.ending !== null) {
      await redis.zrem(this.#keys.deadlines, id);
    } else if (isExpired(job, nowMs)) {
      if (await jobs.finish(id, expiry(job, nowMs))) await onExpired?.(job);
    } else if (job.request.endByMs === null) {
      await redis.hdel(this.#keys.record(id), 'due'); // it started in time
      await redis.zrem(this.#keys.deadlines, id);
    } else {
      await redis.zadd(this.#keys.deadlines, job.request.endByMs, id);
    }
  }

  async #mendLive(nowMs: number): Promise<void> {
    for (const id of await this.#live.lacking(nowMs)) {
      await this.#readable(id, () => this.#live.mend(id));
    }
  }

  /**
   * Leaves a record of a newer version to newer processes, without starving the records after it.
   * No process can read a damaged record: the job ends. False: it was skipped.
   */
  async #readable(id: string, work: () => Promise<void>): Promise<boolean> {
    if (this.#foreign.has(id)) return false;
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      this.#options.onError?.(error);
      if (error.foreign) this.#foreign.set(id, true);
      else await this.#options.jobs.finish(id, DAMAGED_ENDING);
      return !error.foreign;
    }
  }
}

function isExpired(job: Job, nowMs: number): boolean {
  const { startByMs, endByMs } = job.request;
  if (endByMs !== null && endByMs <= nowMs) return true;
  return startByMs !== null && startByMs <= nowMs && job.begunAtMs === null;
}

function expiry(job: Job, nowMs: number): Ending {
  const began = job.begunAtMs !== null;
  return {
    status: 'expired',
    choices: [],
    usage: null,
    timings: { totalMs: nowMs - job.createdAtMs },
    error: {
      code: began ? 'deadline_exceeded' : 'not_started_in_time',
      message: began
        ? 'The job did not finish by its deadline'
        : 'The job did not start by its deadline',
      stage: began ? 'decode' : 'queue',
      item: null,
      retryable: true,
    },
  };
}
