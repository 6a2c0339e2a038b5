import { Queue, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import { encodeJobId, encodeQueueName, type EncodeJob, type ItemError } from '../messages.ts';
import { EmbeddingUsage } from '../lifetime/embedding-usage.ts';
import { NO_METRICS, type ConnectorMetrics } from '../metrics.ts';
import { isQueued, putBack } from '../queue-messages.ts';
import { queuePriority } from '../queue-priority.ts';
import { EncodeWaiters } from './encode-waiters.ts';
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
   * @default one on the same connection and prefix
   */
  readonly usage?: EmbeddingUsage;
  readonly metrics?: ConnectorMetrics;
  /** Receives errors of the queue's connection that belong to no call. */
  readonly onError?: (error: Error) => void;
}

export interface RequestOptions {
  /** The waiter has no record yet. Once it has, `confirm`, and `enqueue` or `hurry`, are the caller's. */
  readonly hold?: boolean;
  /** Key of items that need no request, by when they cease to; see `ResidentImages`. */
  readonly residents?: string;
}

export interface EncodeRequest {
  /** Already stored, being encoded for another waiter, requested by this call, or none of these needed. */
  readonly found: 'stored' | 'joined' | 'requested' | 'resident';
  /** Generation of the flight that was joined; 0 when none was. Pass it to `recheck`. */
  readonly generation: number;
}

export type Recheck =
  | { readonly state: 'stored'; readonly generation: number }
  | { readonly state: 'pending'; readonly generation: number }
  | { readonly state: 'failed'; readonly generation: number; readonly error: ItemError };

const STORED: EncodeRequest = { found: 'stored', generation: 0 };

/**
 * Requests the encoding of images, each at most once at a time in the fleet. The queue holds the
 * work and the flight records its waiters; either may be lost, so waiters poll.
 */
export class EncodeRequester {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #embeddings: Pick<EmbeddingStore, 'has'>;
  readonly #flight: RedisSingleFlight;
  readonly #usage: EmbeddingUsage;
  readonly #waiters: EncodeWaiters;
  readonly #metrics: ConnectorMetrics;
  readonly #onError: (error: Error) => void;
  readonly #queues = new Map<string, Queue>();

  constructor(options: EncodeRequesterOptions) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#embeddings = options.embeddings;
    this.#flight = options.flight ?? new RedisSingleFlight(options);
    this.#usage = options.usage ?? new EmbeddingUsage(options);
    this.#waiters = new EncodeWaiters({ ...options, flight: this.#flight, usage: this.#usage });
    this.#metrics = options.metrics ?? NO_METRICS;
    this.#onError = options.onError ?? (() => {});
  }

  /**
   * Leases the item, and finds it stored, joins an encode in progress, or requests one. `release` removes the
   * `waiter`.
   */
  async request(
    job: EncodeJob,
    waiter: string,
    { hold = false, residents }: RequestOptions = {},
  ): Promise<EncodeRequest> {
    const leaseMs = hold ? UNRECORDED_MS : undefined;
    const asked = await this.#waiters.ask(job.mmHash, waiter, { labels: job, leaseMs, residents });
    if (asked.state === 'resident') return { found: 'resident', generation: 0 };
    const isKnown = asked.state === 'known';
    if (isKnown && (await this.#embeddings.has(job))) return STORED;
    const { generation, leader } = isKnown ? await this.#flight.join(job.mmHash, waiter) : asked;
    if (!leader) {
      this.#metrics.joined();
      if (!hold) await this.hurry(job);
      return { found: 'joined', generation };
    }
    if (await this.#embeddings.has(job)) return this.#settledBefore(job.mmHash);
    if (!hold) await this.enqueue(job);
    this.#metrics.requested();
    return { found: 'requested', generation };
  }

  /**
   * The state of a request. While it is pending, ensures that the work still exists: requests again
   * what was lost (the flight, the queued job, the stored object). With `trustQueue` it does not look whether
   * the job is queued: right after it was.
   */
  async recheck(
    job: EncodeJob,
    waiter: string,
    generation: number,
    { trustQueue = false }: { readonly trustQueue?: boolean } = {},
  ): Promise<Recheck> {
    const flight = await this.#waiters.renew(job.mmHash, waiter, generation, job);
    if (await this.#embeddings.has(job)) return { state: 'stored', generation };
    if (flight.state === 'failed') return { ...flight, generation };
    if (flight.state === 'pending' && trustQueue) return { state: 'pending', generation };
    const current =
      flight.state === 'pending'
        ? generation
        : (await this.#flight.join(job.mmHash, waiter)).generation;
    await this.#assertQueued(job);
    return { state: 'pending', generation: current };
  }

  /** The waiter has a record now: its lease gets the usual duration. */
  async confirm(mmHash: string, waiter: string): Promise<void> {
    await this.#usage.extendLease(mmHash, waiter);
  }

  /** The waiter will use a stored item: the sweeper must not delete it before `release`. */
  async hold(job: EncodeJob, waiter: string): Promise<void> {
    await this.#usage.lease(job.mmHash, waiter, job);
  }

  /** The waiter no longer needs the item. The last waiter cancels work that has not started. */
  async release(mmHash: string, waiter: string, model?: string): Promise<void> {
    const { abandoned } = await this.#waiters.release(mmHash, waiter);
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

  /** The index did not know of it, or the last flight ended meanwhile: there is nothing to encode. */
  async #settledBefore(mmHash: string): Promise<EncodeRequest> {
    await this.#flight.settle(mmHash, { state: 'stored' });
    return STORED;
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
