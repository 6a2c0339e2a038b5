import {
  MESSAGE_VERSION,
  generateQueueName,
  isQueued,
  putBack,
  queuePriority,
  type GenerateJob,
} from '@epd/connector';
import { Queue, type JobsOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Job } from './job.ts';

/**
 * Attempts that may fail with an error of the worker itself; after that the `Reconciler` requeues
 * the job.
 */
const ATTEMPTS = 20;
/**
 * Fixed: such failures come from Redis or the worker, and exponential backoff would delay a job for
 * hours afterwards.
 */
const RETRY_MS = 1_000;

const OPTIONS: JobsOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: ATTEMPTS,
  backoff: { type: 'fixed', delay: RETRY_MS },
};

/** BullMQ's score of a queued job: its priority, then its order among jobs of the same priority. */
const TURNS_PER_PRIORITY = 2 ** 32;

/** The exclusive upper score of the jobs that are queued ahead of a new job of this priority. */
export const scoreBehind = (priority: number, createdAtMs: number): string =>
  `(${(queuePriority(priority, createdAtMs) + 1) * TURNS_PER_PRIORITY}`;

/** BullMQ's key of a queue's jobs: without a priority, with one, and delayed for a retry. */
export const queuePlace = (
  prefix: string,
  queue: string,
  place: 'wait' | 'prioritized' | 'delayed',
): string => `${prefix}:${queue}:${place}`;

/**
 * BullMQ's key of the queued jobs of a model. Every generate job has a priority, so all of them are
 * in the set of prioritized jobs.
 */
export const waitingKey = (prefix: string, model: string): string =>
  queuePlace(prefix, generateQueueName(model), 'prioritized');

/** The fields of a job that determine its place in the queue. */
type QueuedJob = Pick<Job, 'id' | 'request' | 'createdAtMs'>;

/** The generate queues, one per model, opened on first use. Adding a job is idempotent. */
export class GenerateQueues {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #queues = new Map<string, Queue<GenerateJob>>();

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async add({ id: jobId, request, createdAtMs }: QueuedJob): Promise<void> {
    const { model, priority, traceparent } = request;
    const message: GenerateJob = {
      v: MESSAGE_VERSION,
      jobId,
      model,
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    const options = { ...OPTIONS, jobId, priority: queuePriority(priority, createdAtMs) };
    await this.#queue(model).add('generate', message, options);
  }

  waitingKey(model: string): string {
    return waitingKey(this.#prefix, model);
  }

  /** Whether a generate job is queued or claimed by a worker. */
  has(jobId: string, model: string): Promise<boolean> {
    return isQueued(this.#redis, this.#queue(model), jobId);
  }

  /**
   * Requeues a generate job that Redis lost, or whose queue entry it lost. False: a worker holds it
   * after all.
   */
  putBack(job: QueuedJob): Promise<boolean> {
    return putBack(this.#queue(job.request.model), job.id, () => this.add(job));
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => queue.close()));
  }

  #queue(model: string): Queue<GenerateJob> {
    const open = this.#queues.get(model);
    if (open !== undefined) return open;
    const queue = new Queue<GenerateJob>(generateQueueName(model), {
      connection: this.#redis,
      prefix: this.#prefix,
    });
    queue.on('error', () => undefined); // the failing command rejects
    this.#queues.set(model, queue);
    return queue;
  }
}
