import { setTimeout as sleep } from 'node:timers/promises';
import { createObjectStore } from '@epd/connector';
import {
  addDefaultMetrics,
  batchWrites,
  ConfigError,
  connectRedis,
  redisOptions,
  runService,
  startTracing,
  storeIdentity,
  storeOptions,
  waitForRedis,
  type RunningService,
  type ServiceContext,
} from '@epd/service';
import { FleetStore, storeStateLogger } from '@epd/fleet';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { buildApp } from './app.ts';
import { startBackground } from './background.ts';
import { composeServices } from './compose.ts';
import { needsKeys, readApiConfig, type ApiConfig } from './config.ts';
import { FleetLookout, installFleetMetrics } from './core/metrics/fleet-metrics.ts';
import { RequestStore } from './core/inputs/request-store.ts';
import { checkReadiness } from './readiness.ts';

const REDIS_RETRY_MS = 500;

runService({ name: 'api', config: () => readApiConfig(), start });

async function start({
  config,
  log,
  signal,
  fail,
}: ServiceContext<ApiConfig>): Promise<RunningService> {
  const patient = connectRedis(config.redisUrl, { name: 'api-background', log });
  const redis = batchWrites(new Redis(config.redisUrl, requestRedisOptions()), 'turn');
  redis.on('error', (err) => log.debug({ err }, 'Redis'));
  const durable = await createObjectStore(storeOptions(config));
  const fleetStore = new FleetStore({
    redis,
    prefix: config.prefix,
    store: durable,
    ...storeIdentity(storeOptions(config)),
    onChange: storeStateLogger(log),
  });
  const store = new RequestStore(durable, {
    waitMs: config.storeWaitMs,
    refusal: () => (fleetStore.state.verdict === 'other' ? fleetStore.state.reason : ''),
  });
  const registry = new Registry();
  addDefaultMetrics(registry);
  const tracing = await startTracing('api', config);
  const services = composeServices({ config, redis, store, registry, log });
  const app = await buildApp({
    services,
    registry,
    ready: async () =>
      signal.aborted
        ? { ready: false, reason: 'stopping' }
        : checkReadiness({ redis, inputs: store, fleetStore, models: services.models }),
    redis,
    config,
    log,
  });
  const lookout = new FleetLookout(patient, config.prefix);
  installFleetMetrics(registry, lookout);
  const url = await app
    .listen({ host: config.host, port: config.port })
    .catch(refuseAddress(config));
  log.info({ url, access: accessOf(config) }, 'listening');
  // Until Redis is connected, callers get 503 unavailable.
  const background = redisAnswers(patient, redis, signal).then(async (answers) => {
    if (!answers) return null;
    await fleetStore.look();
    fleetStore.start();
    return startBackground({ config, redis: patient, services, log });
  });
  background.catch(fail);
  return {
    stop: async () => {
      await sleep(config.drainMs);
      await app.close();
      await (await background)?.stop();
      fleetStore.stop();
      await services.close();
      await tracing.stop();
      await store.close();
      redis.disconnect();
      patient.disconnect();
    },
  };
}

/** A name or an address that is not this machine's, or a port that somebody else has, is a setting to change. */
const refuseAddress =
  ({ host, port }: ApiConfig) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code === 'EADDRINUSE' || error.code === 'EACCES')
      throw new ConfigError([
        { variable: 'EPD_PORT', expected: 'a port that is free to be taken', value: String(port) },
      ]);
    throw new ConfigError([
      { variable: 'EPD_HOST', expected: 'an address or name of this machine', value: host },
    ]);
  };

/** Waits without limit; false: the process stops before. */
async function redisAnswers(patient: Redis, redis: Redis, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await waitForRedis(patient, { withinMs: Number.POSITIVE_INFINITY, signal });
      await redis.ping(); // it reconnects by itself, a little later
      return true;
    } catch {
      await sleep(REDIS_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

function accessOf(config: ApiConfig): string {
  if (needsKeys(config)) return 'by key';
  return config.open
    ? 'open to anyone who can reach the port'
    : 'this machine only, because no API keys are set';
}

/** A caller waits for every command here: better report an outage of Redis soon than hang. */
function requestRedisOptions() {
  return {
    ...redisOptions('api'),
    maxRetriesPerRequest: 1,
    commandTimeout: 5_000,
  };
}
