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
 * How long a waiter without a record keeps an item from being swept: whoever would release it may die
 * before there is one. Looks at the store come in between, which take milliseconds, and seconds where
 * it is slow; a lease that runs out before costs an encode at worst.
 */
const UNRECORDED_MS = 60_000;

export interface EncodeRequesterOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** Where to look before anything is encoded. */
  readonly embeddings: Pick<EmbeddingStore, 'has'>;
  /** @default one on the same connection and prefix */
  readonly flight?: RedisSingleFlight;
  /** Leases the item for each waiter, so that it is not swept before its use. @default no leases */
  readonly usage?: EmbeddingUsage;
  readonly metrics?: ConnectorMetrics;
  /** Errors of the queue's connection that belong to no call. */
  readonly onError?: (error: Error) => void;
}

export interface EncodeRequest {
  /** In the store already, under way for somebody else, or asked for by this call. */
  readonly found: 'stored' | 'joined' | 'requested';
  /** Of the flight that was joined; 0 when stored. To be handed to `recheck`. */
  readonly generation: number;
}

export type Recheck =
  | { readonly state: 'stored'; readonly generation: number }
  | { readonly state: 'pending'; readonly generation: number }
  | { readonly state: 'failed'; readonly generation: number; readonly error: ItemError };

/**
 * Has images encoded, each at most once at a time in the fleet. The queue holds the work and the
 * flight says who waits for it; either may be lost, so waiters look again now and then.
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
   * Looks, joins whoever is at it, or asks for an encode. `waiter` is dropped by `release`. With `hold`
   * the waiter has no record yet. Once it does, the caller says so with `confirm`, and asks by itself, with
   * `enqueue` when `found` is `requested`, with `hurry` when it is `joined`.
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
   * What has become of a request. While it is pending, makes sure that the work is still there: what
   * was lost (the flight, the queued job, the stored object) is asked for again.
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

  /** The waiter has a record now: what was held for it is held as long as for others. */
  async confirm(mmHash: string, waiter: string): Promise<void> {
    await this.#usage?.extendLease(mmHash, waiter);
  }

  /** The waiter is going to use an item that is there: it is not to be swept before `release`. */
  async hold(job: EncodeJob, waiter: string): Promise<void> {
    await this.#usage?.lease(job.mmHash, waiter, job);
  }

  /** The waiter wants the item no more. Work that has not begun goes with the last waiter. */
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

  /** The flight before ours ended between our look and our join: there is nothing to encode. */
  async #settledBefore(mmHash: string): Promise<EncodeRequest> {
    await this.#flight.settle(mmHash, { state: 'stored' });
    return { found: 'stored', generation: 0 };
  }

  /** Adding a job that is there already changes nothing: its id is the item's. */
  async enqueue(job: EncodeJob): Promise<void> {
    await this.#add(job);
  }

  /** Who joins with a higher priority does not wait behind those of the one who asked. */
  async hurry(job: EncodeJob): Promise<void> {
    const waiting = await this.#queue(job.model).getJob(encodeJobId(job.mmHash));
    const priority = priorityOf(job);
    if (waiting && priority < waiting.priority) await waiting.changePriority({ priority });
  }

  #add(job: EncodeJob): Promise<Job> {
    return this.#queue(job.model).add('encode', job, {
      jobId: encodeJobId(job.mmHash),
      // A finished job that stayed would stand in the way of the next with its id.
      removeOnComplete: true,
      removeOnFail: true,
      attempts: 3,
      backoff: { type: 'exponential', delay: 200 },
      priority: priorityOf(job),
    });
  }

  /** Redis may have lost the job, or only its place in the queue. */
  async #assertQueued(job: EncodeJob): Promise<void> {
    const queue = this.#queue(job.model);
    const id = encodeJobId(job.mmHash);
    if (await isQueued(this.#redis, queue, id)) return;
    await putBack(queue, id, async () => void (await this.#add(job)));
  }

  /** Somebody may have joined since the last one left: then the job goes back where it was. */
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
