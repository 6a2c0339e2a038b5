import { Queue, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import { encodeJobId, encodeQueueName, type EncodeJob, type ItemError } from '../messages.ts';
import type { EmbeddingUsage } from '../lifetime/embedding-usage.ts';
import { NO_METRICS, type ConnectorMetrics } from '../metrics.ts';
import { isQueued, putBack } from '../queue-messages.ts';
import { queuePriority } from '../queue-priority.ts';
import { RedisSingleFlight } from './redis-single-flight.ts';

/**
 * Lease time of a waiter without a record: the process that would release it may die before the
 * record exists. Checks of the store happen in between, which take milliseconds, or seconds if it
 * is slow; a lease that expires too early costs one encode at worst.
 */
const UNRECORDED_MS = 60_000;

export interface EncodeRequesterOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** Checked before anything is encoded. */
  readonly embeddings: Pick<EmbeddingStore, 'has'>;
  /** @default one on the same connection and prefix */
  readonly flight?: RedisSingleFlight;
  /**
   * Leases the item for each waiter, so that the sweeper does not delete it before its use.
   * @default no leases
   */
  readonly usage?: EmbeddingUsage;
  readonly metrics?: ConnectorMetrics;
  /** Receives errors of the queue's connection that belong to no call. */
  readonly onError?: (error: Error) => void;
}

export interface EncodeRequest {
  /** Already stored, being encoded for another waiter, or requested by this call. */
  readonly found: 'stored' | 'joined' | 'requested';
  /** Generation of the flight that was joined; 0 when stored. Pass it to `recheck`. */
  readonly generation: number;
}

export type Recheck =
  | { readonly state: 'stored'; readonly generation: number }
  | { readonly state: 'pending'; readonly generation: number }
  | { readonly state: 'failed'; readonly generation: number; readonly error: ItemError };

/**
 * Requests the encoding of images, each at most once at a time in the fleet. The queue holds the
 * work and the flight records its waiters; either may be lost, so waiters poll.
 */
export class EncodeRequester {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #embeddings: Pick<EmbeddingStore, 'has'>;
  readonly #flight: RedisSingleFlight;
  readonly #usage: EmbeddingUsage | undefined;
  readonly #metrics: ConnectorMetrics;
  readonly #onError: (error: Error) => void;
  readonly #queues = new Map<string, Queue>();

  constructor(options: EncodeRequesterOptions) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#embeddings = options.embeddings;
    this.#flight = options.flight ?? new RedisSingleFlight(options);
    this.#usage = options.usage;
    this.#metrics = options.metrics ?? NO_METRICS;
    this.#onError = options.onError ?? (() => {});
  }

  /**
   * Checks the store, joins an encode in progress, or requests one. `release` removes the `waiter`.
   * With `hold` the waiter has no record yet. Once it has one, the caller calls `confirm`, and then
   * `enqueue` if `found` is `requested`, or `hurry` if it is `joined`.
   */
  async request(
    job: EncodeJob,
    waiter: string,
    options: { readonly hold?: boolean } = {},
  ): Promise<EncodeRequest> {
    await this.#usage?.lease(job.mmHash, waiter, job, options.hold ? UNRECORDED_MS : undefined);
    if (await this.#embeddings.has(job)) return { found: 'stored', generation: 0 };
    const { generation, leader } = await this.#flight.join(job.mmHash, waiter);
    if (!leader) {
      this.#metrics.joined();
      if (options.hold !== true) await this.hurry(job);
      return { found: 'joined', generation };
    }
    if (await this.#embeddings.has(job)) return this.#settledBefore(job.mmHash);
    if (options.hold !== true) await this.enqueue(job);
    this.#metrics.requested();
    return { found: 'requested', generation };
  }

  /**
   * The state of a request. While it is pending, ensures that the work still exists: requests again
   * what was lost (the flight, the queued job, the stored object).
   */
  async recheck(job: EncodeJob, waiter: string, generation: number): Promise<Recheck> {
    await this.#usage?.lease(job.mmHash, waiter, job);
    if (await this.#embeddings.has(job)) return { state: 'stored', generation };
    const flight = await this.#flight.look(job.mmHash, generation, waiter);
    if (flight.state === 'failed') return { ...flight, generation };
    const current =
      flight.state === 'pending'
        ? generation
        : (await this.#flight.join(job.mmHash, waiter)).generation;
    await this.#assertQueued(job);
    return { state: 'pending', generation: current };
  }

  /** The waiter has a record now: its lease gets the usual duration. */
  async confirm(mmHash: string, waiter: string): Promise<void> {
    await this.#usage?.extendLease(mmHash, waiter);
  }

  /** The waiter will use a stored item: the sweeper must not delete it before `release`. */
  async hold(job: EncodeJob, waiter: string): Promise<void> {
    await this.#usage?.lease(job.mmHash, waiter, job);
  }

  /** The waiter no longer needs the item. The last waiter cancels work that has not started. */
  async release(mmHash: string, waiter: string, model?: string): Promise<void> {
    const [{ abandoned }] = await Promise.all([
      this.#flight.leave(mmHash, waiter),
      this.#usage?.endLease(mmHash, waiter),
    ]);
    if (!abandoned) return;
    for (const queue of model === undefined ? this.#queues.values() : [this.#queue(model)]) {
      await this.#removeWaiting(queue, mmHash);
    }
  }

  /** Closes the queues; the Redis connection is the caller's. */
  async close(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.close();
    this.#queues.clear();
  }

  /** The previous flight ended between our check and our join: there is nothing to encode. */
  async #settledBefore(mmHash: string): Promise<EncodeRequest> {
    await this.#flight.settle(mmHash, { state: 'stored' });
    return { found: 'stored', generation: 0 };
  }

  /** Adding an existing job changes nothing: its id is the item's. */
  async enqueue(job: EncodeJob): Promise<void> {
    await this.#add(job);
  }

  /** A waiter that joins with a higher priority raises the priority of the queued job. */
  async hurry(job: EncodeJob): Promise<void> {
    const waiting = await this.#queue(job.model).getJob(encodeJobId(job.mmHash));
    const priority = priorityOf(job);
    if (waiting && priority < waiting.priority) await waiting.changePriority({ priority });
  }

  #add(job: EncodeJob): Promise<Job> {
    return this.#queue(job.model).add('encode', job, {
      jobId: encodeJobId(job.mmHash),
      // A finished job that stayed would block the next one with its id.
      removeOnComplete: true,
      removeOnFail: true,
      attempts: 3,
      backoff: { type: 'exponential', delay: 200 },
      priority: priorityOf(job),
    });
  }

  /** Redis may have lost the job, or only its queue entry. */
  async #assertQueued(job: EncodeJob): Promise<void> {
    const queue = this.#queue(job.model);
    const id = encodeJobId(job.mmHash);
    if (await isQueued(this.#redis, queue, id)) return;
    await putBack(queue, id, async () => void (await this.#add(job)));
  }

  /** Another waiter may have joined since the last one left: then the job is requeued. */
  async #removeWaiting(queue: Queue, mmHash: string): Promise<void> {
    const job = await queue.getJob(encodeJobId(mmHash));
    const removed = job && (await queue.remove(encodeJobId(mmHash))) === 1;
    if (!removed || (await this.#flight.waiters(mmHash)).length === 0) return;
    await this.#add(job.data as EncodeJob);
  }

  #queue(model: string): Queue {
    const open = this.#queues.get(model);
    if (open) return open;
    const queue = new Queue(encodeQueueName(model), {
      connection: this.#redis,
      prefix: this.#prefix,
    });
    queue.on('error', this.#onError);
    this.#queues.set(model, queue);
    return queue;
  }
}

const priorityOf = ({ priority = 0 }: EncodeJob): number => queuePriority(priority, Date.now());
