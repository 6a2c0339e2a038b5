import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createObjectStore, type ObjectStore } from '@epd/connector';
import { RedisModelRegistry, workerFleetStore, type Announced, type FleetStore } from '@epd/fleet';
import { openServiceModel } from '@epd/hub';
import {
  connectRedis,
  serveTelemetry,
  startTracing,
  storeIdentity,
  storeOptions,
  waitForRedis,
  workerReadiness,
  type RunningService,
  type ServiceContext,
} from '@epd/service';
import type { Redis } from 'ioredis';
import { buildWorker, type Encoder } from './build-worker.ts';
import type { Config } from './config.ts';
import { readModel } from './read-model.ts';
import { EncoderMetrics } from './metrics.ts';
import { loadVision } from './vision/load-vision.ts';

/**
 * Share of the graceful-stop time for finishing items; the rest is for returning items to the queue
 * and closing.
 */
const FINISHING_SHARE = 0.7;

/** What readiness depends on; filled in during start-up. */
interface Readable {
  redis: Redis;
  store: ObjectStore;
  encoder: Encoder | null;
  model: string | null;
  announced: Announced | null;
  fleetStore: FleetStore;
  needsStore: true;
}

/** An encoder process: serves telemetry at once, and claims work when its model is loaded. */
export async function startEncoder(context: ServiceContext<Config>): Promise<RunningService> {
  const { config, log, signal } = context;
  const name = `encoder-${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const metrics = new EncoderMetrics();
  await using stack = new AsyncDisposableStack();
  const tracing = await startTracing('encoder', config);
  stack.defer(() => tracing.stop());
  const redis = connectRedis(config.redisUrl, { name: 'epd-encoder', log });
  stack.defer(() => redis.disconnect());
  const store = await createObjectStore(storeOptions(config));
  stack.defer(() => store.close());
  const fleetStore = workerFleetStore(context, {
    redis,
    store,
    ...storeIdentity(storeOptions(config)),
    isAtWork: () => state.encoder !== null,
  });
  const state: Readable = {
    redis,
    store,
    encoder: null,
    model: null,
    announced: null,
    fleetStore,
    needsStore: true,
  };
  const telemetry = await serveTelemetry({
    host: config.metricsHost,
    port: config.metricsPort,
    registry: metrics.registry,
    ready: () => workerReadiness(state.encoder, state),
  });
  stack.defer(() => telemetry.close());
  log.info({ url: telemetry.url, encoder: name }, 'telemetry');
  await waitForRedis(redis, { withinMs: Number.POSITIVE_INFINITY, signal });
  // Any work without the fleet's store would be lost.
  await fleetStore.until(['ours'], signal);
  fleetStore.start();
  stack.defer(() => fleetStore.stop());
  const opened = await openServiceModel(context, ['vision_encoder']);
  const model = await readModel(opened.folder, {
    id: opened.id,
    imageTokensMax: config.imageTokensMax,
    visionEncoder: config.visionEncoder ?? opened.variants.vision_encoder ?? '',
  });
  const vision = await loadVision(model.folder, model.card.geometry, {
    ...config,
    cacheFolder: join(config.dataDir, 'graphs'),
    log,
    onHang: () => endHungProcess(context),
    onDeath: context.fail,
  });
  stack.defer(() => vision.runner.close());
  metrics.gauge(
    'epd_vision_graph_rewritten',
    'Whether the vision encoder graph was rewritten with fused attention (1) or runs as exported (0), which is slower',
    () => Number(vision.runner.preparation.rewritten),
  );
  const { id, fingerprint } = model.card;
  log.info({ model: id, fingerprint, tilesPerRun: vision.tilesPerRun }, 'model loaded');
  const encoder = await buildWorker({
    encoder: name,
    config,
    model,
    vision,
    onHang: () => endHungProcess(context),
    redis,
    store,
    metrics,
    log,
  });
  stack.defer(() => encoder.stop(config.stopMs * FINISHING_SHARE));
  const announced = await new RedisModelRegistry(redis, config.prefix).announce(
    'encoder',
    name,
    model.card,
  );
  stack.defer(() => announced.stop());
  metrics.registry.setDefaultLabels({ model: id });
  Object.assign(state, { encoder, model: id, announced });
  const held = stack.move();
  return { stop: () => held.disposeAsync() };
}

/** Nothing can interrupt a run: an ordinary exit would wait for its thread. */
function endHungProcess({ config, log }: ServiceContext<Config>): void {
  log.fatal(
    { runTimeoutMs: config.runTimeoutMs },
    'image timed out in the encoder; exiting the process',
  );
  process.kill(process.pid, 'SIGKILL');
}
