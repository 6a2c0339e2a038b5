import { setTimeout as sleep } from 'node:timers/promises';
import { serverTimeMs, type RedisLock, type Semaphore } from '@epd/connector';
import type { Logger } from '@epd/service';
import type { Redis } from 'ioredis';
import type { IndexMetrics } from '../metrics.ts';
import type { BatchIndexer } from './batch-indexer.ts';
import type { Batch, Feed } from './feed.ts';
import type { Upkeep } from './upkeep.ts';
import type { WriteRequests } from './write-requests.ts';

/** How often a process that is not elected asks, and the elected one renews: three fit into the lock's time. */
const RENEW_MS = 3_000;
export const LOCK_MS = 10_000;
const RETRY_MS = 1_000;

export interface IndexWriterParts {
  readonly redis: Redis;
  readonly lock: Pick<RedisLock, 'hold' | 'free'>;
  readonly feed: Feed;
  readonly indexer: BatchIndexer;
  readonly upkeep: Upkeep;
  readonly requests: Pick<WriteRequests, 'open' | 'pause' | 'close'>;
  /** Serializes all writes to the tables. */
  readonly turns: Semaphore;
  readonly metrics: IndexMetrics;
  readonly log: Logger;
}

/**
 * The one process that writes to the index: the holder of a lock. States: standby, elected,
 * stopped. An elected writer resumes after the last commit. A writer that was paused longer than
 * its lock lasts may write once more beside its successor; that is harmless, because only a row of
 * a higher `rev` replaces a row, and the late writer cannot commit.
 */
export class IndexWriter {
  readonly #parts: IndexWriterParts;
  readonly #stopped = new AbortController();
  #elected = false;
  #running: Promise<void> = Promise.resolve();
  #renewal: NodeJS.Timeout | null = null;

  constructor(parts: IndexWriterParts) {
    this.#parts = parts;
  }

  get isElected(): boolean {
    return this.#elected;
  }

  start(): void {
    this.#renewal = setInterval(() => void this.#renew(), RENEW_MS);
    this.#running = this.#run();
  }

  /** Stops after the current batch; another process is elected at once. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#parts.feed.hurry();
    if (this.#renewal) clearInterval(this.#renewal);
    await this.#running;
    await this.#parts.requests.close();
    this.#parts.feed.stop();
    await this.#parts.lock.free().catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await this.#renew();
        if (this.#elected) await this.#round();
        else await pause(RETRY_MS, signal);
      } catch (err) {
        if (signal.aborted) return;
        await this.#repeat(err);
      }
    }
  }

  async #round(): Promise<void> {
    const { feed, upkeep, metrics } = this.#parts;
    const batch = await feed.next();
    if (batch) await this.#write(batch);
    else metrics.idle();
    await this.#parts.turns.run(() => upkeep.doWhatIsDue());
  }

  async #write(batch: Batch): Promise<void> {
    const { redis, feed, indexer, upkeep, metrics } = this.#parts;
    const startedAt = performance.now();
    const { written, removed, cursor } = await this.#parts.turns.run(() => indexer.index(batch));
    if (!(await feed.commit(cursor))) this.#depose();
    upkeep.noteWritten(written);
    metrics.changed(written, removed);
    metrics.state({ pending: indexer.waiting });
    const times = [...batch.events, ...batch.notices].map(({ atMs }) => atMs);
    metrics.batch(performance.now() - startedAt, (await serverTimeMs(redis)) - Math.min(...times));
  }

  /** Messages that were read and not committed are read again. */
  async #repeat(err: unknown): Promise<void> {
    const { feed, indexer, metrics, log } = this.#parts;
    metrics.failed();
    log.warn({ err }, 'index batch failed; retrying');
    feed.rewind();
    indexer.forget();
    await pause(RETRY_MS, this.#stopped.signal);
  }

  /** A failed renewal changes nothing: the lock reports when it has expired. */
  async #renew(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const held = await this.#parts.lock.hold().catch(() => this.#elected);
    if (held && !this.#elected) this.#take();
    if (!held && this.#elected) this.#depose();
  }

  #take(): void {
    const { feed, indexer, upkeep, requests, metrics, log } = this.#parts;
    this.#elected = true;
    feed.rewind();
    indexer.forget();
    upkeep.lookSoon();
    requests.open();
    metrics.elected(true);
    log.info('elected as index writer');
  }

  #depose(): void {
    this.#elected = false;
    this.#parts.requests.pause();
    this.#parts.metrics.elected(false);
    this.#parts.log.warn('another process is the index writer');
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);
