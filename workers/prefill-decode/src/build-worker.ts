import { join } from 'node:path';
import {
  CompletionReader,
  createECConnector,
  EmbeddingStore,
  EmbeddingUsage,
  EncodeRequester,
  generateQueueName,
  lockOptions,
  parseTransferConfig,
  type ECConnector,
  type ObjectStore,
} from '@epd/connector';
import type { OpenedModel } from '@epd/hub';
import { RedisJobStore, type Job } from '@epd/jobs';
import { constraintLimits, ecMetrics, type Logger } from '@epd/service';
import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { Config } from './config.ts';
import { AnswerValidator } from './constraint/answer-validator.ts';
import { createEngine, type Engine } from './engine/index.ts';
import { GenerateProcessor } from './job/generate-processor.ts';
import { Prompts } from './prompt/prompts.ts';
import type { PdModel } from './read-model.ts';
import { takeoverCount } from './metrics.ts';

export interface WorkerParts {
  /** This worker's name in the fleet. */
  readonly worker: string;
  readonly config: Config;
  readonly opened: OpenedModel;
  readonly model: PdModel;
  readonly redis: Redis;
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly log: Logger;
}

export interface PdWorker {
  readonly engine: Engine;
  /** Ready for jobs: it claims them when its model's name points to its revision. */
  readonly isRunning: boolean;
  /**
   * Sets whether the model's name points to this worker's revision. If not, it claims no jobs and
   * finishes those it has.
   */
  serve(serving: boolean): void;
  readonly held: number;
  /**
   * Stops claiming jobs, finishes what it can within the time, and returns the rest to the queue.
   */
  stop(withinMs: number): Promise<void>;
}

/** Interval of the check for ended jobs whose notification was missed. */
const DROP_ENDED_MS = 5_000;

/** Puts a PD worker together. It claims jobs once `serve` is called. */
export async function buildWorker(parts: WorkerParts): Promise<PdWorker> {
  await using stack = new AsyncDisposableStack();
  const jobs = new RedisJobStore({ redis: parts.redis, prefix: parts.config.prefix });
  stack.defer(() => jobs.close());
  const { connector, requester } = await buildConnector(parts, stack);
  const engine = await buildEngine(parts, connector);
  stack.defer(() => engine.close());
  const validator = new AnswerValidator();
  stack.defer(() => validator.close());
  const prompts = new Prompts(parts.opened.folder, {
    timeoutMs: parts.config.promptTimeoutMs,
    imageTokensMax: parts.config.imageTokensMax,
  });
  prompts.warm();
  stack.defer(() => prompts.close());
  const processor = new GenerateProcessor({
    engine,
    jobs,
    validator,
    redis: parts.redis,
    prompts,
    format: parts.model.format,
    fingerprint: parts.model.card.fingerprint,
    revision: parts.model.card.revision ?? '',
    worker: parts.worker,
    sharePrefixes: parts.config.sharePrefixes,
    log: parts.log,
    onOver: (job) => release(job, requester),
    onTakeover: takeoverCount(parts.registry),
  });
  await jobs.onEnded((id) => processor.ended(id));
  const sweep = setInterval(() => void processor.dropEnded().catch(() => undefined), DROP_ENDED_MS);
  stack.defer(() => clearInterval(sweep));
  const queue = buildQueueWorker(parts, processor);
  let serving = false;
  const held = stack.move();
  return {
    engine,
    get isRunning() {
      return !serving || queue.isRunning();
    },
    serve: (now) => {
      serving = now;
      void (now ? queue.resume() : queue.pause(true)).catch((err: unknown) =>
        parts.log.warn({ err }, 'queue error'),
      );
    },
    get held() {
      return processor.held;
    },
    stop: async (withinMs) => {
      await stopQueue(queue, processor, withinMs);
      await held.disposeAsync();
    },
  };
}

async function buildConnector(
  { config, model, redis, store, registry, log }: WorkerParts,
  stack: AsyncDisposableStack,
): Promise<{ connector: ECConnector; requester: EncodeRequester }> {
  const { prefix } = config;
  const metrics = ecMetrics(registry);
  const usage = new EmbeddingUsage({ redis, prefix });
  const embeddings = new EmbeddingStore({
    store,
    secret: config.embeddingKey,
    usage,
    metrics,
    onQuarantine: (mmHash, reason) =>
      log.warn({ mmHash, reason }, 'quarantined an unusable embedding'),
  });
  const requester = new EncodeRequester({ redis, prefix, embeddings, usage, metrics });
  stack.defer(() => requester.close());
  const events = new CompletionReader({ redis, prefix, metrics });
  await events.start();
  stack.defer(() => events.stop());
  const connector = await createECConnector(
    parseTransferConfig({ ecConnector: 'StoreECConnector', ecRole: 'ec_consumer' }),
    {
      embeddings,
      fingerprint: model.card.fingerprint,
      width: model.card.embeddingWidth,
      requester,
      releasesWaiters: false, // `onOver` does: a job that is returned to the queue still waits
      events,
      metrics,
      onError: (error) => log.warn({ err: error }, 'connector error; it will retry'),
    },
  );
  stack.defer(() => connector.shutdown());
  return { connector, requester };
}

function buildEngine(
  { config, opened, log }: WorkerParts,
  connector: ECConnector,
): Promise<Engine> {
  const { embed_tokens: embedTokens = '', decoder_model_merged: variant = '' } = opened.variants;
  const decoder = config.decoder ?? variant;
  return createEngine({
    modelFolder: opened.folder,
    cacheFolder: join(config.dataDir, 'graphs'),
    kvCacheBytes: config.kvCacheBytes,
    encoderCacheBytes: config.encoderCacheBytes,
    tokenBudgetPerStep: config.tokenBudgetPerStep,
    pace: { share: config.prefillShare, waitMs: config.prefillWaitMs },
    draftTokens: config.draftTokens,
    maxBatch: config.maxBatch,
    maxHeld: config.maxHeld,
    executionProviders: config.executionProviders,
    threads: config.threads,
    threadsSpin: config.threadsSpin,
    decoder: decoder === '' ? 'auto' : `decoder_model_merged_${decoder}.onnx`,
    embedTokens,
    connector,
    logger: log,
    runTimeoutMs: config.runTimeoutMs,
    onHang: () => endHungProcess(config, log),
    hangAtStep: config.faultHangAtStep,
    constraints: {
      limits: constraintLimits(config),
      compileMs: config.constraintCompileMs,
      maskMs: config.constraintMaskMs,
    },
  });
}

/** An ordinary exit would wait for the thread that hangs. */
function endHungProcess({ runTimeoutMs }: Config, log: Logger): void {
  log.fatal({ runTimeoutMs }, 'decoder step timed out; exiting the process');
  process.kill(process.pid, 'SIGKILL');
}

function buildQueueWorker(
  { config, model, redis, log }: WorkerParts,
  processor: GenerateProcessor,
): Worker {
  const worker = new Worker<unknown>(
    generateQueueName(model.card.id),
    (queued, token) => processor.process(queued, token),
    {
      connection: redis,
      prefix: config.prefix,
      autorun: false,
      concurrency: config.maxHeld,
      ...lockOptions(config.lockMs),
      // The record's fence counts worker losses. BullMQ's own count would fail the job silently.
      maxStalledCount: 1_000,
    },
  );
  worker.on('error', (err) => log.warn({ err }, 'queue error'));
  worker.on('failed', (job, err) =>
    log.error({ err, job: job?.id }, 'job failed in this worker; it will be retried'),
  );
  return worker;
}

/**
 * Most answers complete in a few seconds: the worker finishes those and returns the long ones to
 * the queue.
 */
async function stopQueue(
  queue: Worker,
  processor: GenerateProcessor,
  withinMs: number,
): Promise<void> {
  await queue.pause(true);
  const limit = setTimeout(() => processor.handBackAll(), withinMs);
  await queue.close();
  clearTimeout(limit);
}

async function release({ id, request }: Job, requester: EncodeRequester): Promise<void> {
  const { images, model } = request;
  await Promise.all(images.map(({ mmHash }) => requester.release(mmHash, id, model)));
}
