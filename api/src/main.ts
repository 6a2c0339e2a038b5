import { createObjectStore } from '@epd/connector';
import {
  addDefaultMetrics,
  connectRedis,
  redisOptions,
  runService,
  storeOptions,
  waitForRedis,
  type RunningService,
  type ServiceContext,
} from '@epd/service';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { buildApp } from './app.ts';
import { startBackground } from './background.ts';
import { composeServices } from './compose.ts';
import { needsKeys, readApiConfig, type ApiConfig } from './config.ts';
import { checkReadiness } from './readiness.ts';

runService({ name: 'api', config: () => readApiConfig(), start });

async function start({ config, log, signal }: ServiceContext<ApiConfig>): Promise<RunningService> {
  const patient = connectRedis(config.redisUrl, { name: 'api-background', log });
  await waitForRedis(patient, { signal });
  const redis = new Redis(config.redisUrl, requestRedisOptions());
  redis.on('error', (err) => log.debug({ err }, 'Redis'));
  const store = createObjectStore(storeOptions(config));
  const registry = new Registry();
  addDefaultMetrics(registry);
  const services = composeServices({ config, redis, store });
  const app = await buildApp({
    services,
    registry,
    ready: () => checkReadiness({ redis, inputs: store, models: services.models }),
    redis,
    config,
    log,
  });
  const background = await startBackground({ config, redis: patient, services, log });
  const url = await app.listen({ host: config.host, port: config.port });
  log.info({ url, access: accessOf(config) }, 'listening');
  return {
    stop: async () => {
      await app.close();
      await background.stop();
      await services.close();
      await store.close();
      redis.disconnect();
      patient.disconnect();
    },
  };
}

function accessOf(config: ApiConfig): string {
  if (needsKeys(config)) return 'by key';
  return config.open
    ? 'open: whoever reaches the port'
    : 'this machine only, for no API keys are set';
}

/** A caller waits for every command here: better to say soon that Redis is away than to hang. */
function requestRedisOptions() {
  return { ...redisOptions('api'), maxRetriesPerRequest: 1, commandTimeout: 5_000 };
}
