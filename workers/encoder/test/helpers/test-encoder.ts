import { createHash } from 'node:crypto';
import {
  CompletionReader,
  EmbeddingStore,
  EncodeRequester,
  inputKey,
  MemoryStore,
  MESSAGE_VERSION,
  mmHash,
  RedisSingleFlight,
  type CompletionEvent,
  type EncodeJob,
  type ObjectStore,
} from '@epd/connector';
import { createLogger, connectRedis } from '@epd/service';
import { eventually, testGraphs, testPrefix, testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import { buildWorker, type Encoder } from '../../src/build-worker.ts';
import { readEncoderConfig } from '../../src/config.ts';
import { readModel, type EncoderModel } from '../../src/read-model.ts';
import { EncoderMetrics } from '../../src/metrics.ts';
import { loadVision, type LoadedVision } from '../../src/vision/load-vision.ts';
import { TINY_VLM } from './folders.ts';
import { goldenImage } from './golden.ts';

/** A fleet's shared parts, of the test's own: a Redis prefix, a store, and somebody who asks. */
export interface TestFleet {
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly embeddings: EmbeddingStore;
  readonly flight: RedisSingleFlight;
  readonly requester: EncodeRequester;
  readonly model: EncoderModel;
  /** Every event since the fleet was made. */
  readonly events: readonly CompletionEvent[];
}

export async function testFleet(
  t: ExecutionContext,
  store: ObjectStore = new MemoryStore(),
): Promise<TestFleet> {
  const prefix = testPrefix();
  const redis = connectRedis(testRedisUrl(), { name: 'encoder-test' });
  const embeddings = new EmbeddingStore({ store });
  const requester = new EncodeRequester({ redis, prefix, embeddings });
  const reader = new CompletionReader({ redis, prefix, from: '0-0' });
  const events: CompletionEvent[] = [];
  reader.subscribe((event) => events.push(event));
  await reader.start();
  t.teardown(async () => {
    await reader.stop();
    await requester.close();
    redis.disconnect();
  });
  const flight = new RedisSingleFlight({ redis, prefix });
  const model = await readModel(TINY_VLM);
  return { redis, prefix, store, embeddings, flight, requester, model, events };
}

export interface TestEncoder extends Encoder {
  /** The value of one of its metrics. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
}

const log = createLogger({ service: 'encoder-test', level: 'fatal' });
let nextEncoder = 1;
let vision: Promise<LoadedVision> | null = null;

/** One thread and one model for all the encoders of a test file: a start takes longer than most tests. */
function sharedVision(model: EncoderModel): Promise<LoadedVision> {
  vision ??= openVision(model);
  return vision;
}

function openVision({ folder, card }: EncoderModel): Promise<LoadedVision> {
  return loadVision(folder, card.geometry, {
    ...readEncoderConfig(),
    cacheFolder: testGraphs(),
    tilesPerRun: 4,
    threads: 1,
    log,
    onHang: () => process.exit(1),
    onDeath: () => process.exit(1),
  });
}

/** For `test.after.always`. */
export async function closeVision(): Promise<void> {
  await (await vision)?.runner.close();
}

/** An encoder of the fleet, in this process. It stops when the test ends. */
export async function testEncoder(
  t: ExecutionContext,
  { model, redis, prefix, store }: TestFleet,
): Promise<TestEncoder> {
  const metrics = new EncoderMetrics();
  const built = await buildWorker({
    encoder: `encoder-${nextEncoder++}`,
    config: { ...readEncoderConfig(), prefix },
    model,
    vision: await sharedVision(model),
    onHang: () => process.exit(1),
    redis,
    store,
    metrics,
    log,
  });
  t.teardown(() => built.stop(5_000));
  return {
    get isRunning() {
      return built.isRunning;
    },
    stop: (withinMs) => built.stop(withinMs),
    metric: async (name, labels = {}) => {
      const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? [];
      const matching = values.filter((value) => hasLabels(value.labels, labels));
      return matching.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

const hasLabels = (
  labels: Partial<Record<string, string | number>>,
  wanted: Readonly<Record<string, string>>,
): boolean => Object.entries(wanted).every(([label, value]) => String(labels[label]) === value);

/** The message for a picture whose bytes are put into the store, as the API would. */
export async function encodeJob(
  { store, model }: TestFleet,
  bytes: Uint8Array,
  changed: Partial<EncodeJob> = {},
): Promise<EncodeJob> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await store.put(inputKey(sha256), bytes);
  const { fingerprint, processing, id } = model.card;
  return {
    v: MESSAGE_VERSION,
    mmHash: mmHash({
      tenant: '',
      modality: 'image',
      fingerprint,
      processing,
      contentSha256: sha256,
    }),
    model: id,
    fingerprint,
    input: {
      key: inputKey(sha256),
      sha256,
      mediaType: 'image/png',
      bytes: bytes.length,
      width: 128,
      height: 128,
    },
    tokens: 16,
    requestedAtMs: Date.now(),
    ...changed,
  };
}

export const goldenJob = async (fleet: TestFleet, name: string): Promise<EncodeJob> =>
  encodeJob(fleet, await goldenImage(name));

/** The first event about the item; waits for it. */
export const eventOf = (
  fleet: TestFleet,
  { mmHash: hash }: Pick<EncodeJob, 'mmHash'>,
): Promise<CompletionEvent> =>
  eventually(() => fleet.events.find((event) => event.mmHash === hash));
