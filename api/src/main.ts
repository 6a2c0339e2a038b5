import { createObjectStore } from '@epd/connector';
import { Reconciler } from '@epd/jobs';
import {
  addDefaultMetrics,
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
import { composeServices } from './compose.ts';
import { readApiConfig, type ApiConfig } from './config.ts';
import { AdmissionKeeper } from './limits/admission-keeper.ts';
import { checkReadiness } from './readiness.ts';

runService({ name: 'api', config: () => readApiConfig(), start });

async function start({ config, log, signal }: ServiceContext<ApiConfig>): Promise<RunningService> {
  const redis = new Redis(config.redisUrl, requestRedisOptions());
  redis.on('error', (err) => log.debug({ err }, 'Redis'));
  await waitForRedis(redis, { signal });
  const store = createObjectStore(storeOptions(config));
  const registry = new Registry();
  addDefaultMetrics(registry);
  const services = composeServices({ config, redis, store });
  const reconciler = new Reconciler({
    redis,
    prefix: config.prefix,
    jobs: services.jobs,
    onExpired: (job) => services.ender.release(job),
    onError: (err) => log.warn({ err }, 'reconciling failed; it is tried again'),
  });
  const app = await buildApp({
    services,
    registry,
    ready: () => checkReadiness({ redis, inputs: store, models: services.models }),
    limits: config,
    log,
  });
  const keeper = new AdmissionKeeper(services.jobs, services.admission, (err) =>
    log.warn({ err }, 'the account of waiting work is behind; it is put right again'),
  );
  await keeper.start();
  reconciler.start();
  const url = await app.listen({ host: config.host, port: config.port });
  log.info({ url }, 'listening');
  if (!services.authenticator.required)
    log.info(
      config.open
        ? 'no API keys are set: whoever reaches the port can ask'
        : 'no API keys are set: only this machine can ask',
    );
  return {
    stop: async () => {
      await app.close();
      await keeper.stop();
      await reconciler.stop();
      await services.close();
      await store.close();
      redis.disconnect();
    },
  };
}

/** A caller waits for every command here: better to say soon that Redis is away than to hang. */
function requestRedisOptions() {
  return { ...redisOptions('api'), maxRetriesPerRequest: 1, commandTimeout: 5_000 };
}
