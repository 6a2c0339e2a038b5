import {
  createObjectStore,
  encodeQueueName,
  type EncodeJob,
  type ObjectStore,
} from '@epd/connector';
import { RedisModelRegistry, type ModelCard } from '@epd/fleet';
import type { Admission, JobStore } from '@epd/jobs';
import { storeOptions } from '@epd/service';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import { Queue } from 'bullmq';
import type { FastifyInstance } from 'fastify';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { buildApp } from '../../src/app.ts';
import { composeServices } from '../../src/compose.ts';
import { readApiConfig, type ApiConfig } from '../../src/config.ts';
import { checkReadiness } from '../../src/readiness.ts';
import type { JobReader } from '../../src/core/jobs/job-reader.ts';
import type { Services } from '../../src/core/services.ts';
import { TEST_CARD } from './test-card.ts';

export interface TestApi {
  readonly app: FastifyInstance;
  readonly jobs: JobStore;
  readonly inputs: ObjectStore;
  readonly redis: Redis;
  readonly admission: Admission;
  readonly reader: JobReader;
  readonly services: Services;
  readonly prefix: string;
  /** The encodes that wait: there is no encoder here. */
  readonly waitingEncodes: () => Promise<EncodeJob[]>;
}

/** An API of its own over real Redis and a store in memory, with one model registered. */
export async function testApi(
  t: ExecutionContext,
  overrides: { [K in keyof ApiConfig]?: ApiConfig[K] | undefined } = {},
  cards: readonly ModelCard[] = [TEST_CARD],
): Promise<TestApi> {
  const config = {
    ...readApiConfig(TEST_ENVIRONMENT),
    prefix: testPrefix(),
    ...overrides,
  } as ApiConfig;
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: 1 });
  const inputs = await createObjectStore(
    config.store === 's3' ? storeOptions(config) : { kind: 'memory' },
  );
  const fleetStore = { state: { verdict: 'ours', reason: '' } } as const;
  const registry = new Registry();
  const services = composeServices({ config, redis, store: inputs, registry });
  const app = await buildApp({
    services,
    registry,
    ready: () => checkReadiness({ redis, inputs, fleetStore, models: services.models }),
    redis,
    config,
  });
  await register(redis, config.prefix, cards);
  const queue = new Queue<EncodeJob>(encodeQueueName(TEST_CARD.id), {
    connection: redis,
    prefix: config.prefix,
  });
  queue.on('error', () => undefined);
  const waitingEncodes = async () =>
    (await queue.getJobs(['waiting', 'prioritized'])).map(({ data }) => data);
  t.teardown(async () => {
    await app.close();
    await services.close();
    await queue.close();
    redis.disconnect();
  });
  return {
    app,
    jobs: services.jobs,
    inputs,
    redis,
    prefix: config.prefix,
    admission: services.admission,
    reader: services.reader,
    services,
    waitingEncodes,
  };
}

const TEST_ENVIRONMENT = {
  EPD_LOG_LEVEL: 'silent',
  EPD_MAX_BODY_BYTES: '8000000',
  EPD_MAX_IMAGE_BYTES: '1000000',
  EPD_MAX_IMAGE_PIXELS: '1000000',
  EPD_MAX_IMAGES: '4',
  EPD_DEFAULT_MAX_TOKENS: '64',
  EPD_FETCH_TIMEOUT_MS: '20000',
  EPD_FETCH_HTTP: 'true',
  EPD_FETCH_ALLOW: '127.0.0.1/32',
};

/** The lease ends at once: a model that is known while no worker runs. */
export async function register(
  redis: Redis,
  prefix: string,
  cards: readonly ModelCard[],
): Promise<void> {
  const registry = new RedisModelRegistry(redis, prefix);
  for (const card of cards) await (await registry.announce('encoder', 'gone', card)).stop();
}
