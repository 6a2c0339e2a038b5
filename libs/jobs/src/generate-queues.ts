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

/** Attempts that end in an error of the worker itself; then the `Reconciler` puts the job back. */
const ATTEMPTS = 20;
/** Fixed: what fails so is Redis or the worker, and doubling would keep a job waiting for hours after. */
const RETRY_MS = 1_000;

const OPTIONS: JobsOptions = {
  removeOnComplete: true,
  removeOnFail: true,
  attempts: ATTEMPTS,
  backoff: { type: 'fixed', delay: RETRY_MS },
};

/** BullMQ's score of a waiting job: its priority, then its turn among those of the same. */
const TURNS_PER_PRIORITY = 2 ** 32;

/** The score, excluded, up to which those go first that wait before a new job of this priority. */
export const scoreBehind = (priority: number, createdAtMs: number): string =>
  `(${(queuePriority(priority, createdAtMs) + 1) * TURNS_PER_PRIORITY}`;

/** Where BullMQ has a queue's jobs: those without a priority, those with one, those to be tried again later. */
export const queuePlace = (
  prefix: string,
  queue: string,
  place: 'wait' | 'prioritized' | 'delayed',
): string => `${prefix}:${queue}:${place}`;

/**
 * Where the jobs of a model wait that no worker has taken up. Every generate job has a priority, so all of
 * them are in BullMQ's set of those.
 */
export const waitingKey = (prefix: string, model: string): string =>
  queuePlace(prefix, generateQueueName(model), 'prioritized');

/** What of a job its place in the queue follows from. */
type QueuedJob = Pick<Job, 'id' | 'request' | 'createdAtMs'>;

/** The generate queues, one per model, opened when first used. Adding a job twice adds it once. */
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

  /** Whether a generate job waits or is held by a worker. */
  has(jobId: string, model: string): Promise<boolean> {
    return isQueued(this.#redis, this.#queue(model), jobId);
  }

  /** Adds a generate job that Redis has lost, or its place. False: a worker holds it after all. */
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
    queue.on('error', () => undefined); // the command that fails says so
    this.#queues.set(model, queue);
    return queue;
  }
}
