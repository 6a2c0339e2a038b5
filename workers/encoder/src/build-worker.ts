import {
  CompletionPublisher,
  createECConnector,
  EmbeddingStore,
  EmbeddingUsage,
  isFrame,
  parseTransferConfig,
  RedisSingleFlight,
  type ECConnector,
  type Embedding,
  type ObjectStore,
  Semaphore,
} from '@epd/connector';
import { RedisJobStore } from '@epd/jobs';
import { imageLayout } from '@epd/model/geometry';
import { itemMaker, type VisionShape } from '@epd/model/preprocess';
import { ecMetrics, type Logger } from '@epd/service';
import type { Redis } from 'ioredis';
import { Batcher, type Batched } from './batching/batcher.ts';
import type { Config } from './config.ts';
import { EmbeddingCache } from './embedding-cache.ts';
import { Announcer } from './encode/announcer.ts';
import { EmbeddingSaver } from './encode/embedding-saver.ts';
import { EncodeWorker } from './encode/encode-worker.ts';
import { ImagePipeline, type PixelItem } from './encode/image-pipeline.ts';
import { ItemEncoder } from './encode/item-encoder.ts';
import { PoisonList } from './encode/poison-list.ts';
import type { EncoderModel } from './read-model.ts';
import type { EncoderMetrics } from './metrics.ts';
import { commitFault, type ImageFaults } from './preprocess/image-faults.ts';
import { preprocess } from './preprocess/preprocess.ts';
import { resizers } from './preprocess/resize.ts';
import type { LoadedVision } from './vision/load-vision.ts';

type EncoderConfig = Pick<
  Config,
  'prefix' | 'embeddingKey' | 'batchItems' | 'batchTokens' | 'cacheBytes' | 'deathsMax' | 'lockMs'
> &
  Pick<Config, 'maxImageBytes' | 'maxImagePixels' | 'runTimeoutMs' | 'index'> &
  ImageFaults;

export interface WorkerParts {
  /** This encoder's name in the fleet. */
  readonly encoder: string;
  readonly config: EncoderConfig;
  readonly model: EncoderModel;
  readonly vision: LoadedVision;
  /** Called when an image hangs: the callee must exit the process. */
  readonly onHang: () => void;
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly metrics: EncoderMetrics;
  readonly log: Logger;
}

export interface Encoder {
  readonly isRunning: boolean;
  /**
   * Stops claiming items, and finishes or returns those it holds. The parts it was given stay open.
   */
  stop(withinMs: number): Promise<void>;
}

/** Assembles an encoder. It claims work from the moment this resolves. */
export async function buildWorker(parts: WorkerParts): Promise<Encoder> {
  const { config, model, redis, log, metrics, store } = parts;
  const embeddings = new EmbeddingStore({
    store,
    secret: config.embeddingKey,
    usage: new EmbeddingUsage({ redis, prefix: config.prefix }),
    metrics: ecMetrics(metrics.registry),
  });
  const cache = new EmbeddingCache(config.cacheBytes);
  const { fingerprint, embeddingWidth: width } = model.card;
  const connector = await createECConnector(
    parseTransferConfig({ ecConnector: 'StoreECConnector', ecRole: 'ec_producer' }),
    { embeddings, fingerprint, width },
  );
  connector.worker.registerCaches(cache);
  const jobs = new RedisJobStore({ redis, prefix: config.prefix });
  const items = buildItems(parts, { connector, cache, jobs });
  const worker = new EncodeWorker({
    redis,
    prefix: config.prefix,
    model: model.card.id,
    // One batch in the model, one being prepared.
    concurrency: 2 * config.batchItems,
    lockMs: config.lockMs,
    items,
    log,
  });
  return {
    get isRunning() {
      return worker.isRunning;
    },
    stop: async (withinMs) => {
      await worker.stop(withinMs);
      await connector.shutdown();
      await jobs.close();
    },
  };
}

function buildItems(
  { encoder, config, model, redis, metrics, log, ...parts }: WorkerParts,
  held: {
    readonly connector: ECConnector;
    readonly cache: EmbeddingCache;
    readonly jobs: RedisJobStore;
  },
): ItemEncoder {
  const { prefix, deathsMax, index } = config;
  const { fingerprint, embeddingWidth: width } = model.card;
  const saver = new EmbeddingSaver(held.connector);
  const flight = new RedisSingleFlight({ redis, prefix });
  const completions = new CompletionPublisher({ redis, prefix });
  return new ItemEncoder({
    encoder,
    fingerprint,
    deathsMax,
    flight,
    metrics,
    log,
    lookUp: (mmHash) => held.connector.scheduler.lookUp(mmHash),
    cache: held.cache,
    save: (mmHash) => saver.save(mmHash),
    poison: new PoisonList(redis, prefix),
    announcer: new Announcer({ encoder, width, index, flight, completions, jobs: held.jobs }),
    pipeline: buildPipeline({ encoder, config, model, redis, metrics, log, ...parts }),
  });
}

function buildPipeline({
  config,
  model,
  vision,
  store,
  metrics,
  log,
  onHang,
}: WorkerParts): ImagePipeline {
  const { shape } = vision;
  const tokensMax = config.batchTokens || vision.tilesPerRun * (shape.rows / shape.parts);
  const batcher = buildBatcher(vision, { tokensMax, itemsMax: config.batchItems }, metrics);
  const make = itemMaker(model.folder, model.card.geometry, resizers);
  const options = { make, maxPixels: config.maxImagePixels };
  return new ImagePipeline({
    maxImageBytes: config.maxImageBytes,
    inputs: store,
    // Visual tokens of the images held as pixels, which take the memory.
    gate: new Semaphore(Math.max(2 * tokensMax, pixelTokensMax(shape))),
    preprocess: async (bytes, input) => {
      await commitFault(config, input.sha256);
      return preprocess(bytes, { ...options, isFrame: isFrame(input) });
    },
    layoutOf: (input) =>
      imageLayout(model.card.geometry, input.width, input.height, isFrame(input)),
    watch: { runTimeoutMs: config.runTimeoutMs, onHang },
    encode: (item) => batcher.add(item),
    metrics,
    log,
  });
}

function buildBatcher(
  { runner, tilesPerRun }: LoadedVision,
  limits: { readonly tokensMax: number; readonly itemsMax: number },
  metrics: EncoderMetrics,
): { add(item: PixelItem): Promise<Batched<Embedding>> } {
  const batcher = new Batcher<PixelItem, Embedding>(async (items) => {
    const pixels = items.map((item) => item.pixels);
    const { embeddings, ms } = await runner.encode(pixels, tilesPerRun);
    metrics.encoded(ms, items.length);
    return { results: embeddings, ms };
  }, limits);
  metrics.gauge(
    'epd_encoder_waiting',
    'Preprocessed images queued for the vision encoder',
    () => batcher.waiting,
  );
  metrics.gauge(
    'epd_encoder_tiles_per_run',
    'Tiles per run of the vision encoder',
    () => tilesPerRun,
  );
  return batcher;
}

/** Memory for images between file and embedding: a few large ones, or very many small ones. */
const PIXEL_BYTES_MAX = 256 * 1024 * 1024;
const BYTES_PER_VALUE = Float32Array.BYTES_PER_ELEMENT;

function pixelTokensMax({ dims, parts, rows }: VisionShape): number {
  const bytes = dims.reduce((product, size) => product * size, parts * BYTES_PER_VALUE);
  return Math.floor((PIXEL_BYTES_MAX / bytes) * rows);
}
