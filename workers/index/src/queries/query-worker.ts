import { INDEX_QUERY_QUEUE, QueryRequest, type Answers, type Outcome } from '@epd/image-index';
import type { Logger } from '@epd/service';
import { UnrecoverableError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import type { IndexMetrics } from '../metrics.ts';
import type { QueryAnswerer } from './answer-query.ts';

/**
 * Concurrent queries: the database uses every core for one of them, so more would only be queued
 * elsewhere.
 */
const CONCURRENCY = 8;
const LOCK_MS = 10_000;
/** By then its caller has timed out. */
const STALE_MS = 10_000;

const schema = Compile(QueryRequest);

/** BullMQ's side of a reader: any number of index workers claim queries from one queue. */
export class QueryWorker {
  readonly #worker: Worker<unknown>;
  readonly #answerer: QueryAnswerer;
  readonly #metrics: IndexMetrics;

  constructor(options: {
    readonly redis: Redis;
    readonly prefix: string;
    readonly answerer: QueryAnswerer;
    readonly metrics: IndexMetrics;
    readonly log: Logger;
  }) {
    this.#answerer = options.answerer;
    this.#metrics = options.metrics;
    this.#worker = new Worker<unknown>(INDEX_QUERY_QUEUE, (job) => this.#process(job), {
      connection: options.redis,
      prefix: options.prefix,
      concurrency: CONCURRENCY,
      lockDuration: LOCK_MS,
      stalledInterval: LOCK_MS / 2,
    });
    const { log } = options;
    this.#worker.on('error', (err) => log.error({ err }, 'index query queue error'));
    this.#worker.on('failed', (_, err) => log.warn({ err }, 'index query failed'));
  }

  get isRunning(): boolean {
    return this.#worker.isRunning() && !this.#worker.closing;
  }

  /** Finishes the queries it holds: milliseconds. */
  async stop(): Promise<void> {
    await this.#worker.close();
  }

  async #process(job: Job<unknown>): Promise<Outcome<Answers[QueryRequest['op']]>> {
    if (!schema.Check(job.data)) throw new UnrecoverableError('Unknown query');
    if (Date.now() - job.timestamp > STALE_MS)
      throw new UnrecoverableError('The caller has timed out');
    const startedAt = performance.now();
    const outcome = await this.#answerer.answer(job.data);
    this.#metrics.query(job.data.op, performance.now() - startedAt);
    return outcome;
  }
}
