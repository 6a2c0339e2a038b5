import {
  CompletionPublisher,
  EmbeddingStore,
  EmbeddingUsage,
  fromFloat32,
  inputKey,
  MemoryStore,
  MESSAGE_VERSION,
  mmHash,
  pooledVector,
  sha256Hex,
  vectorToText,
  type Embedding,
  type InputRef,
} from '@epd/connector';
import { IndexClient, NoticePublisher } from '@epd/image-index';
import { RedisModelRegistry, type ModelCard } from '@epd/fleet';
import { connectRedis, createLogger } from '@epd/service';
import { tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import type { ExecutionContext } from 'ava';
import sharp from 'sharp';
import { buildIndex, type IndexProcess } from '../../src/build-index.ts';
import { IndexMetrics } from '../../src/metrics.ts';
import { ImageTables } from '../../src/table/image-tables.ts';

const WIDTH = 16;
const ROWS = 4;
const log = createLogger({ service: 'index-test', level: 'fatal' });

export const CARD: ModelCard = {
  v: 1,
  id: 'tiny',
  fingerprint: 'fingerprint of tiny',
  processing: { edge: 64 },
  geometry: {},
  contextLength: 100,
  bytesPerTokenMax: 25,
  hiddenSize: WIDTH,
  createdAtMs: 1,
};

/** A picture as the API and an encoder would have it, its embedding pointing at an angle. */
export interface TestImage {
  readonly mmHash: string;
  readonly input: InputRef;
  readonly embedding: Embedding;
}

/** A fleet's shared parts, of the test's own, and what an API and encoders say in it. */
export async function testFleet(t: ExecutionContext) {
  const prefix = testPrefix();
  const redis = connectRedis(testRedisUrl(), { name: 'index-test' });
  const store = new MemoryStore();
  const usage = new EmbeddingUsage({ redis, prefix });
  const embeddings = new EmbeddingStore({ store, usage });
  const completions = new CompletionPublisher({ redis, prefix });
  const notices = new NoticePublisher(redis, prefix);
  const client = new IndexClient({ redis, prefix });
  const announced = await new RedisModelRegistry(redis, prefix).announce('encoder', 'e-1', CARD);
  const folder = await tempFolder(t);
  t.teardown(async () => {
    await announced.stop();
    await client.close();
    redis.disconnect();
  });

  const save = async ({ mmHash: hash, embedding }: TestImage, tenant: string): Promise<void> => {
    await usage.lease(hash, 'test', { model: CARD.id, tenant });
    await embeddings.save(hash, CARD.fingerprint, embedding);
    await usage.record(hash, embedding.data.length);
    await usage.endLease(hash, 'test');
  };
  return {
    redis,
    prefix,
    store,
    usage,
    client,
    notices,
    save,
    /** A job of a tenant came with the image. */
    seen: (image: TestImage, tenant: string, jobId: string, metadata = {}) =>
      notices.seen({
        tenant,
        model: CARD.id,
        fingerprint: CARD.fingerprint,
        jobId,
        metadata,
        images: [image],
      }),
    /** An encoder stored it on a tenant's behalf; without one, for a search. */
    encoded: async (
      image: TestImage,
      tenant?: string,
      changed: { readonly vector?: false } = {},
    ) => {
      await save(image, tenant ?? '');
      const vector = vectorToText(pooledVector(image.embedding)!);
      await completions.publish({
        v: MESSAGE_VERSION,
        outcome: 'stored',
        mmHash: image.mmHash,
        rows: ROWS,
        width: WIDTH,
        dtype: 'F32',
        bytes: image.embedding.data.length,
        etag: '',
        encoder: 'e-1',
        timings: { queueMs: 0, preprocessMs: 0, encodeMs: 0, saveMs: 0, batch: 1 },
        item: {
          model: CARD.id,
          fingerprint: CARD.fingerprint,
          input: image.input,
          ...(tenant === undefined ? {} : { tenant }),
          ...(changed.vector === false ? {} : { vector }),
        },
      });
    },
    /** Another index worker of the fleet; it stops when the test ends, or before. */
    worker: async (): Promise<IndexProcess> => {
      const tables = await ImageTables.connect({ kind: 'folder', root: folder }, folder);
      const config = { prefix, lookEveryS: 300, maxImageBytes: 1e6, maxImagePixels: 1e6 };
      const connection = redis.duplicate();
      const metrics = new IndexMetrics();
      const index = buildIndex({ config, redis: connection, store, tables, metrics, log });
      let stopped: Promise<void> | null = null;
      const stop = async (): Promise<void> => {
        await index.stop();
        tables.close();
        connection.disconnect();
      };
      t.teardown(() => (stopped ??= stop()));
      return {
        get isRunning() {
          return index.isRunning;
        },
        get isElected() {
          return index.isElected;
        },
        stop: () => (stopped ??= stop()),
      };
    },
    image: (degrees: number, scope = '') => testImage(store, degrees, scope),
  };
}

export type TestFleet = Awaited<ReturnType<typeof testFleet>>;

async function testImage(store: MemoryStore, degrees: number, scope: string): Promise<TestImage> {
  const png = await sharp({
    create: { width: 40, height: 30, channels: 3, background: { r: degrees, g: 0, b: 0 } },
  })
    .png()
    .toBuffer();
  const sha256 = sha256Hex(png);
  await store.put(inputKey(sha256), png);
  const { fingerprint, processing } = CARD;
  const hash = mmHash({
    tenant: scope,
    modality: 'image',
    fingerprint,
    processing,
    contentSha256: sha256,
  });
  const row = new Float32Array(WIDTH);
  row[0] = 3 * Math.cos((degrees * Math.PI) / 180);
  row[1] = 3 * Math.sin((degrees * Math.PI) / 180);
  const values = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => row[i % WIDTH]!);
  return {
    mmHash: hash,
    input: {
      key: inputKey(sha256),
      sha256,
      mediaType: 'image/png',
      bytes: png.length,
      width: 40,
      height: 30,
    },
    embedding: { rows: ROWS, width: WIDTH, dtype: 'F32', data: fromFloat32(values, 'F32') },
  };
}
