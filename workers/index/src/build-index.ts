import { randomUUID } from 'node:crypto';
import {
  EmbeddingStore,
  EmbeddingUsage,
  embeddingKey,
  RedisLock,
  Semaphore,
  type ObjectStore,
} from '@epd/connector';
import { RedisModelRegistry } from '@epd/fleet';
import type { Logger } from '@epd/service';
import type { Redis } from 'ioredis';
import type { Config } from './config.ts';
import type { IndexMetrics } from './metrics.ts';
import { QueryAnswerer } from './queries/answer-query.ts';
import { QueryWorker } from './queries/query-worker.ts';
import { Thumbnails } from './queries/thumbnails.ts';
import type { ImageTables } from './table/image-tables.ts';
import { BatchIndexer } from './writer/batch-indexer.ts';
import { Feed } from './writer/feed.ts';
import { IndexWriter, LOCK_MS } from './writer/index-writer.ts';
import { StoreLook } from './writer/store-look.ts';
import { Upkeep } from './writer/upkeep.ts';
import { Vectors } from './writer/vectors.ts';
import { WriteRequests } from './writer/write-requests.ts';

export interface IndexParts {
  readonly config: Pick<
    Config,
    'prefix' | 'embeddingKey' | 'lookEveryS' | 'maxImageBytes' | 'maxImagePixels'
  >;
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly tables: ImageTables;
  readonly metrics: IndexMetrics;
  readonly log: Logger;
}

export interface IndexProcess {
  readonly isRunning: boolean;
  readonly isElected: boolean;
  stop(): Promise<void>;
}

/** Assembles an index worker: it answers queries, and takes part in the election of the writer. */
export function buildIndex(parts: IndexParts): IndexProcess {
  const { config, redis, store, tables, metrics, log } = parts;
  const answerer = new QueryAnswerer({ tables, thumbnails: new Thumbnails({ ...config, store }) });
  const queries = new QueryWorker({ redis, prefix: config.prefix, answerer, metrics, log });
  const writer = buildWriter(parts);
  writer.start();
  return {
    get isRunning() {
      return queries.isRunning;
    },
    get isElected() {
      return writer.isElected;
    },
    stop: async () => {
      await queries.stop();
      await writer.stop();
    },
  };
}

function buildWriter({ config, redis, store, tables, metrics, log }: IndexParts): IndexWriter {
  const { prefix, lookEveryS } = config;
  const lock = { key: `${prefix}:index:writer`, token: randomUUID() };
  const usage = new EmbeddingUsage({ redis, prefix });
  const models = new RedisModelRegistry(redis, prefix);
  const indexer = new BatchIndexer({
    tables,
    vectors: new Vectors({
      embeddings: new EmbeddingStore({ store, secret: config.embeddingKey }),
      models,
    }),
    isStored: async (mmHash) => (await store.stat(embeddingKey('embeddings', mmHash))) !== null,
    nowMs: () => performance.now(),
  });
  const look = new StoreLook({ tables, indexer, store, usage, models });
  const turns = new Semaphore(1);
  return new IndexWriter({
    redis,
    lock: new RedisLock({ redis, ...lock, ttlMs: LOCK_MS }),
    feed: new Feed({
      redis,
      prefix,
      lock,
      onError: (err) => log.warn({ err }, 'connection for index messages failed; reconnecting'),
    }),
    indexer,
    upkeep: new Upkeep({ tables, look, lookEveryMs: lookEveryS * 1000, metrics, log }),
    requests: new WriteRequests({ redis, prefix, tables, backfill: () => look.look(), turns, log }),
    turns,
    metrics,
    log,
  });
}
