import { join } from 'node:path';
import { createObjectStore, type ObjectStore } from '@epd/connector';
import {
  connectRedis,
  serveTelemetry,
  startTracing,
  storeOptions,
  waitForRedis,
  type Logger,
  type Readiness,
  type RunningService,
  type ServiceContext,
} from '@epd/service';
import { buildIndex, type IndexProcess } from './build-index.ts';
import type { Config } from './config.ts';
import { IndexMetrics } from './metrics.ts';
import { ImageTables } from './table/image-tables.ts';

/** An index worker: serves telemetry at once, and queries once the tables are open. */
export async function startIndexWorker(context: ServiceContext<Config>): Promise<RunningService> {
  const { config, log, signal } = context;
  const metrics = new IndexMetrics();
  await using stack = new AsyncDisposableStack();
  const tracing = await startTracing('index', config);
  stack.defer(() => tracing.stop());
  const redis = connectRedis(config.redisUrl, { name: 'epd-index', log });
  stack.defer(() => redis.disconnect());
  const store = await createObjectStore(storeOptions(config));
  stack.defer(() => store.close());
  let index: IndexProcess | null = null;
  const telemetry = await serveTelemetry({
    host: config.metricsHost,
    port: config.metricsPort,
    registry: metrics.registry,
    ready: () => readinessOf(index, redis.status, store),
  });
  stack.defer(() => telemetry.close());
  log.info({ url: telemetry.url }, 'telemetry');
  await waitForRedis(redis, { withinMs: Number.POSITIVE_INFINITY, signal });
  await warnOfUnconditionalPuts(store, log);
  const folder = config.indexDir ?? join(config.dataDir, 'index');
  const tables = await ImageTables.connect(storeOptions(config), folder);
  stack.defer(() => tables.close());
  index = buildIndex({ config, redis, store, tables, metrics, log });
  const running = index;
  stack.defer(() => running.stop());
  const held = stack.move();
  return { stop: () => held.disposeAsync() };
}

async function readinessOf(
  index: IndexProcess | null,
  redis: string,
  store: ObjectStore,
): Promise<Readiness> {
  if (index === null) return { ready: false, reason: 'the index is opening', redis };
  await store.ping();
  const ready = index.isRunning && redis === 'ready';
  return { ready, redis, writer: index.isElected };
}

/**
 * The tables' commits depend on conditional puts: without them only the election of one writer
 * protects them.
 */
async function warnOfUnconditionalPuts(store: ObjectStore, log: Logger): Promise<void> {
  if ((await store.honoursConditions?.()) ?? true) return;
  log.warn(
    'the store ignores If-None-Match: two writers of the index at once would lose rows; ' +
      'the election of one writer is all that prevents it',
  );
}
