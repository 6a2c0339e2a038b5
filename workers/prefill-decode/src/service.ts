import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createObjectStore, type ObjectStore } from '@epd/connector';
import {
  RedisModelRegistry,
  ResidentImages,
  workerFleetStore,
  type Announced,
  type FleetStore,
} from '@epd/fleet';
import { openServiceModel } from '@epd/hub';
import {
  connectRedis,
  serveTelemetry,
  startTracing,
  storeIdentity,
  storeOptions,
  waitForRedis,
  type Logger,
  type Readiness,
  type RunningService,
  type ServiceContext,
  workerReadiness,
} from '@epd/service';
import type { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { buildWorker, type PdWorker } from './build-worker.ts';
import type { Config } from './config.ts';
import { readModel } from './read-model.ts';
import { addMetrics } from './metrics.ts';

/**
 * Share of the graceful-stop time for finishing jobs; the rest is for returning jobs to the queue
 * and closing.
 */
const FINISHING_SHARE = 0.6;
const ASK_AGAIN_MS = 1_000;
/** A failing cache fails at every read: logged at most once per interval. */
const CACHE_TOLD_EVERY_MS = 60_000;

/** What readiness depends on; filled in during start-up. */
interface Readable {
  redis: Redis;
  store: ObjectStore;
  worker: PdWorker | null;
  model: string | null;
  announced: Announced | null;
  fleetStore: FleetStore;
  needsStore: false;
}

/** A PD process: serves telemetry at once, and claims jobs when its model is loaded. */
export async function startWorker(context: ServiceContext<Config>): Promise<RunningService> {
  const { config, log, signal } = context;
  const name = `pd-${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const registry = new Registry();
  await using stack = new AsyncDisposableStack();
  const tracing = await startTracing('prefill-decode', config);
  stack.defer(() => tracing.stop());
  const redis = connectRedis(config.redisUrl, { name: 'epd-prefill-decode', log });
  stack.defer(() => redis.disconnect());
  const store = await openStore(config, log);
  stack.defer(() => store.close());
  const durable = await createObjectStore(storeOptions(config));
  stack.defer(() => durable.close());
  const fleetStore = workerFleetStore(context, {
    redis,
    store: durable, // the disk cache could belong to the previous store
    ...storeIdentity(storeOptions(config)),
    isAtWork: () => state.worker !== null,
  });
  const state: Readable = {
    redis,
    store,
    worker: null,
    model: null,
    announced: null,
    fleetStore,
    needsStore: false,
  };
  const telemetry = await serveTelemetry({
    host: config.metricsHost,
    port: config.metricsPort,
    registry,
    ready: () => readiness(state),
  });
  stack.defer(() => telemetry.close());
  log.info({ url: telemetry.url, worker: name }, 'telemetry');
  await waitForRedis(redis, { withinMs: Number.POSITIVE_INFINITY, signal });
  // The worker serves text while the store is unavailable; with another store than the fleet's,
  // every image would fail.
  await fleetStore.until(['ours', 'unknown'], signal);
  fleetStore.start();
  stack.defer(() => fleetStore.stop());
  const models = new RedisModelRegistry(redis, config.prefix);
  const opened = await openServiceModel(context, ['embed_tokens', 'decoder_model_merged']);
  const model = await readModel(opened, config, (id) =>
    registeredFingerprint(models, id, log, signal),
  );
  const worker = await buildWorker({
    worker: name,
    config,
    opened,
    model,
    redis,
    store,
    registry,
    log,
  });
  stack.defer(() => worker.stop(config.stopMs * FINISHING_SHARE));
  void worker.engine.lost.then(context.fail);
  addMetrics(registry, worker.engine);
  registry.setDefaultLabels({ model: model.card.id });
  const announced = await models.announce('prefill-decode', name, model.card, (serving) => {
    const { revision } = model.card;
    log.info({ revision, serving }, serving ? 'serving' : 'standby: another revision serves');
    worker.serve(serving);
  });
  stack.defer(() => announced.stop());
  const residents = new ResidentImages(redis, config.prefix);
  stack.defer(residents.announce(model.card.id, () => worker.engine.residentHashes()));
  Object.assign(state, { worker, model: model.card.id, announced });
  const held = stack.move();
  return { stop: () => held.disposeAsync() };
}

function openStore(config: Config, log: Logger): Promise<ObjectStore> {
  const { diskCacheBytes: maxBytes, dataDir } = config;
  const disk = { root: join(dataDir, 'embedding-cache'), maxBytes };
  let toldAt = -Infinity;
  const onError = (tier: string, err: unknown): void => {
    if (performance.now() - toldAt < CACHE_TOLD_EVERY_MS) return;
    toldAt = performance.now();
    log.warn({ err, tier }, 'embedding cache failed; embeddings are loaded from the store');
  };
  return createObjectStore({
    ...storeOptions(config),
    ...(maxBytes > 0 ? { caches: { disk, onError } } : {}),
  });
}

async function readiness({ worker, ...rest }: Readable): Promise<Readiness> {
  const report = await workerReadiness(worker, rest);
  return worker === null ? report : { ...report, held: worker.held };
}

/**
 * The container image of a PD worker may omit the vision encoder; then an encoder must register
 * first.
 */
async function registeredFingerprint(
  models: RedisModelRegistry,
  id: string,
  log: Logger,
  signal: AbortSignal,
): Promise<string> {
  for (let told = false; ; told = true) {
    const card = await models.model(id);
    if (card !== null) return card.fingerprint;
    if (!told)
      log.warn(
        { model: id },
        'no vision encoder in the model folder; waiting for an encoder to register',
      );
    await sleep(ASK_AGAIN_MS, undefined, { signal });
  }
}
