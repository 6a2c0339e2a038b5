import { Lazy } from '@epd/connector';
import { Queue, QueueEvents, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { IndexRefusal, IndexUnavailableError } from './errors.ts';
import type { Answers, Outcome, QueryRequest, WriteRequest } from './requests.ts';

/** Any index worker answers these. */
export const INDEX_QUERY_QUEUE = 'index-queries';
/** The elected writer does these, one after the other. */
export const INDEX_WRITE_QUEUE = 'index-writes';

/** Far above a query, which takes milliseconds; what takes longer waits for a worker that is not there. */
const QUERY_WITHIN_MS = 5_000;
/** A write waits for the batch before it, and for a new election when the writer has died. */
const WRITE_WITHIN_MS = 20_000;
/** An answer must outlast the asker's look for it, which comes at once; more would only fill Redis. */
const ANSWER_KEPT_S = 30;
const ANSWERS_KEPT = 500;

type Op = (QueryRequest | WriteRequest)['op'];

interface Channel {
  readonly queue: Queue;
  readonly events: QueueEvents;
}

/**
 * Asks the index over its queues. A query that nobody took in time is withdrawn. A write stays queued and
 * will be done: asking for it again does no harm.
 */
export class IndexClient {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #onError: (error: Error) => void;
  readonly #queries = new Lazy(() => this.#open(INDEX_QUERY_QUEUE));
  readonly #writes = new Lazy(() => this.#open(INDEX_WRITE_QUEUE));

  constructor(options: {
    readonly redis: Redis;
    readonly prefix: string;
    /** Errors of connections that belong to no call; they come back by themselves. */
    readonly onError?: (error: Error) => void;
  }) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#onError = options.onError ?? (() => {});
  }

  /** Throws `IndexRefusal`, `IndexUnavailableError`. */
  async query<R extends QueryRequest>(request: R): Promise<Answers[R['op']]> {
    const channel = await this.#queries.get();
    const job = await channel.queue.add(request.op, request, KEPT);
    try {
      return await answerTo<R['op']>(job, channel, QUERY_WITHIN_MS);
    } catch (error) {
      if (error instanceof IndexUnavailableError) await job.remove().catch(() => undefined);
      throw error;
    }
  }

  /** Throws `IndexRefusal`, and `IndexUnavailableError`, after which it may still be done. */
  async write<R extends WriteRequest>(
    request: R,
    withinMs = WRITE_WITHIN_MS,
  ): Promise<Answers[R['op']]> {
    const channel = await this.#writes.get();
    const job = await channel.queue.add(request.op, request, {
      ...KEPT,
      attempts: 5,
      backoff: { type: 'exponential', delay: 200 },
    });
    return answerTo<R['op']>(job, channel, withinMs);
  }

  async close(): Promise<void> {
    for (const opened of [this.#queries, this.#writes]) {
      const channel = await opened.made();
      if (channel !== null) await closeChannel(channel);
    }
  }

  async #open(name: string): Promise<Channel> {
    const queue = new Queue(name, { connection: this.#redis, prefix: this.#prefix });
    // It waits on a connection that it makes from this one, which is never opened itself.
    const connection = this.#redis.duplicate({
      commandTimeout: undefined,
      maxRetriesPerRequest: null,
      lazyConnect: true,
    });
    const events = new QueueEvents(name, { connection, prefix: this.#prefix });
    queue.on('error', this.#onError);
    events.on('error', this.#onError);
    try {
      await events.waitUntilReady();
    } catch (error) {
      await closeChannel({ queue, events }).catch(this.#onError);
      throw error;
    }
    return { queue, events };
  }
}

async function closeChannel({ queue, events }: Channel): Promise<void> {
  await events.close();
  await queue.close();
}

const KEPT = {
  removeOnComplete: { age: ANSWER_KEPT_S, count: ANSWERS_KEPT },
  removeOnFail: { age: ANSWER_KEPT_S, count: ANSWERS_KEPT },
} as const;

async function answerTo<O extends Op>(
  job: Job,
  { events }: Channel,
  withinMs: number,
): Promise<Answers[O]> {
  const outcome = await outcomeOf<Answers[O]>(job, events, withinMs);
  if (outcome.ok) return outcome.value;
  throw new IndexRefusal(outcome.code, outcome.message);
}

/** BullMQ tells a job that failed and one that nobody took by the same class of error. */
async function outcomeOf<Value>(
  job: Job,
  events: QueueEvents,
  withinMs: number,
): Promise<Outcome<Value>> {
  try {
    return (await job.waitUntilFinished(events, withinMs)) as Outcome<Value>;
  } catch (cause) {
    throw new IndexUnavailableError(job.name, withinMs, { cause });
  }
}
