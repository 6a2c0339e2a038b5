import { serverTimeMs } from '@epd/connector';
import type { Redis } from 'ioredis';
import { RecordError } from './errors.ts';
import { GenerateQueues } from './generate-queues.ts';
import { GIVEN_UP } from './given-up.ts';
import { jobKeys, type JobKeys } from './job-keys.ts';
import type { JobStore } from './job-store.ts';
import type { Ending, Job } from './job.ts';
import { pruneExpired } from './prune-expired.ts';

export interface ReconcilerOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly jobs: JobStore;
  readonly intervalMs?: number;
  /** Called with each job that it ended, so that what the job held can be released. */
  readonly onExpired?: (job: Job) => Promise<void>;
  /** Called for each live job whose generate job was gone and is put back. */
  readonly onLost?: (id: string) => void;
  readonly onError?: (error: unknown) => void;
}

/** Deadlines are promised to the second, not closer. */
const DEFAULT_INTERVAL_MS = 1_000;
/** Jobs looked at per round: bounds a round to a few milliseconds. */
const MAX_PER_ROUND = 100;
/** Index entries dropped per round: far more jobs than a fleet ends in that time. */
const MAX_PRUNED_PER_ROUND = 10_000;
/** A job younger than this may still be between its record and its queue. */
const GRACE_MS = 5_000;

/**
 * Sees to it that every accepted job ends: expires those past a deadline, puts those back on the queue
 * whose generate job was lost, and drops index entries whose record is gone. Every API process runs
 * one; a short lock lets one of them work at a time, and every action is idempotent should two.
 */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #keys: JobKeys;
  readonly #queues: GenerateQueues;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();
  #cursor = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#keys = jobKeys(options.prefix);
    this.#queues = new GenerateQueues(options.redis, options.prefix);
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

  /** One round, if no other process is at it. */
  async runOnce(): Promise<void> {
    const lock = `${this.#options.prefix}:reconciler`;
    const lockMs = this.#options.intervalMs ?? DEFAULT_INTERVAL_MS;
    if ((await this.#options.redis.set(lock, '1', 'PX', lockMs, 'NX')) === null) return;
    const nowMs = await serverTimeMs(this.#options.redis);
    await this.#expireDue(nowMs);
    await this.#requeueLost(nowMs);
    await pruneExpired(this.#options.redis, this.#keys, nowMs, MAX_PRUNED_PER_ROUND);
  }

  async #expireDue(nowMs: number): Promise<void> {
    const { redis } = this.#options;
    const due = await redis.zrangebyscore(
      this.#keys.deadlines,
      0,
      nowMs,
      'LIMIT',
      0,
      MAX_PER_ROUND,
    );
    for (const id of due) await this.#readable(id, (job) => this.#expireOne(id, job, nowMs));
  }

  async #expireOne(id: string, job: Job | null, nowMs: number): Promise<void> {
    const { redis, jobs, onExpired } = this.#options;
    if (job === null || job.ending !== null) {
      await redis.zrem(this.#keys.deadlines, id);
    } else if (isExpired(job, nowMs)) {
      if (await jobs.finish(id, expiry(job, nowMs))) await onExpired?.(job);
    } else if (job.request.endByMs === null) {
      await redis.zrem(this.#keys.deadlines, id); // it began in time
    } else {
      await redis.zadd(this.#keys.deadlines, job.request.endByMs, id);
    }
  }

  /** Walks the live jobs in turns, so that a long queue is covered over several rounds. */
  async #requeueLost(nowMs: number): Promise<void> {
    const { redis } = this.#options;
    const old = nowMs - GRACE_MS;
    const ids = await redis.zrangebyscore(
      this.#keys.live,
      0,
      old,
      'LIMIT',
      this.#cursor,
      MAX_PER_ROUND,
    );
    this.#cursor = ids.length < MAX_PER_ROUND ? 0 : this.#cursor + MAX_PER_ROUND;
    for (const id of ids) await this.#readable(id, (job) => this.#requeueOne(id, job));
  }

  async #requeueOne(id: string, job: Job | null): Promise<void> {
    if (job === null) await this.#options.redis.zrem(this.#keys.live, id);
    else if (job.ending === null && !(await this.#queues.has(id, job.request.model))) {
      await this.#queues.add(job);
      this.#options.onLost?.(id);
    }
  }

  /**
   * A record of a version that only a newer process knows is left to that one, and stops nobody else's. A
   * damaged one is nobody's to read: the job ends.
   */
  async #readable(id: string, work: (job: Job | null) => Promise<void>): Promise<void> {
    try {
      await work(await this.#options.jobs.get(id));
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      this.#options.onError?.(error);
      if (!error.foreign) await this.#options.jobs.finish(id, GIVEN_UP);
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
        ? 'The job was not finished by its deadline'
        : 'The job had not begun by its deadline',
      stage: began ? 'decode' : 'queue',
      item: null,
      retryable: true,
    },
  };
}
