import { randomUUID } from 'node:crypto';
import { EmbeddingSweeper, EmbeddingUsage } from '@epd/connector';
import { DataMark, RedisModelRegistry } from '@epd/fleet';
import { Reconciler } from '@epd/jobs';
import type { Logger } from '@epd/service';
import type { Redis } from 'ioredis';
import type { Composed } from './compose.ts';
import type { ApiConfig } from './config.ts';
import { BatchLineRunner } from './protocols/batches/line-runner.ts';
import { BatchLocks } from './core/batches/batch-locks.ts';
import { BATCH_LOCK_MS, BatchRunner } from './core/batches/batch-runner.ts';
import { BatchStepper } from './core/batches/batch-stepper.ts';
import { storedReferences } from './core/files/references.ts';
import { InputSweeper } from './core/inputs/input-sweeper.ts';
import { InputUsage } from './core/inputs/input-usage.ts';
import { UnservedJobs } from './core/models/unserved-jobs.ts';
import { createAddressPolicy } from './core/media/address-policy.ts';
import { WebhookQueue } from './core/webhooks/webhook-queue.ts';
import { WebhookSender } from './core/webhooks/webhook-sender.ts';

interface BackgroundParts {
  readonly config: ApiConfig;
  /** A connection that waits without limit; no request waits for its commands. */
  readonly redis: Redis;
  readonly services: Composed;
  readonly log: Pick<Logger, 'warn' | 'error'>;
}

interface Stoppable {
  stop(): Promise<void>;
}

/** Background work of every API process; any number of them share it. */
export async function startBackground(parts: BackgroundParts): Promise<Stoppable> {
  const running = [
    startDataMark(parts),
    startReconciler(parts),
    startUnservedJobs(parts),
    startSweeper(parts),
    startInputSweeper(parts),
    ...(await startWebhooks(parts)),
    startBatches(parts),
  ];
  return {
    stop: async () => {
      for (const part of running.toReversed()) await part.stop();
    },
  };
}

function startDataMark({ config, redis, services, log }: BackgroundParts): Stoppable {
  const mark = new DataMark({
    redis,
    prefix: config.prefix,
    onLoss: () => {
      services.counts.dataLost();
      services.models.expectAgain();
      log.error('Redis lost its data: its jobs and records are gone; workers will register again');
    },
    onError: (err) => log.warn({ err }, 'check for data loss in Redis failed; retrying'),
  });
  mark.start();
  return mark;
}

function startReconciler({ config, redis, services, log }: BackgroundParts): Stoppable {
  const reconciler = new Reconciler({
    redis,
    prefix: config.prefix,
    jobs: services.jobs,
    onLost: (job) => {
      services.counts.lost();
      log.error({ job }, 'requeued a live job whose queue entry was lost');
    },
    onExpired: (job) => services.ender.release(job),
    onError: (err) => log.warn({ err }, 'reconciler round failed; retrying'),
  });
  reconciler.start();
  return reconciler;
}

function startUnservedJobs({ config, redis, services, log }: BackgroundParts): Stoppable {
  const unserved = new UnservedJobs({
    redis,
    prefix: config.prefix,
    registry: new RedisModelRegistry(redis, config.prefix),
    jobs: services.jobs,
    waitMs: config.unservedJobS * 1000,
    onEnded: (job) => services.ender.release(job),
    onError: (err) => log.warn({ err }, 'check for unserved jobs failed; retrying'),
  });
  unserved.start();
  return unserved;
}

function startSweeper({ config, redis, services, log }: BackgroundParts): Stoppable {
  const { prefix, embeddingTtlS, embeddingMaxBytes: maxBytes } = config;
  const sweeper = new EmbeddingSweeper({
    redis,
    prefix,
    store: services.inputs, // images and embeddings are in one store
    usage: new EmbeddingUsage({ redis, prefix }),
    metrics: services.ecMetrics,
    // The index finds out by itself, but later.
    onRemoved: (mmHash) => void services.notices?.gone(mmHash).catch(() => undefined),
    ttlMs: embeddingTtlS * 1000,
    ...(maxBytes > 0 ? { maxBytes } : {}),
    onError: (err) => log.warn({ err }, 'sweep of embeddings failed; retrying'),
  });
  sweeper.start();
  return sweeper;
}

function startInputSweeper({ config, redis, services, log }: BackgroundParts): Stoppable {
  const { prefix, inputTtlS, retentionS } = config;
  const { jobs, inputs: store, files } = services;
  const sweeper = new InputSweeper({
    redis,
    prefix,
    store,
    usage: new InputUsage({ redis, prefix }),
    ttlMs: inputTtlS * 1000,
    retentionMs: retentionS * 1000,
    references: () => storedReferences({ redis, prefix, jobs, files: files.records }),
    recorded: ['files', 'uploads'], // of an upload that was not completed there is no record
    onError: (err) => log.warn({ err }, 'sweep of images failed; retrying'),
  });
  sweeper.start();
  return sweeper;
}

async function startWebhooks({
  config,
  redis,
  services,
  log,
}: BackgroundParts): Promise<Stoppable[]> {
  const { webhookSecrets: secrets, jobs, reader } = services;
  if (secrets === null) return [];
  const { prefix, webhookRetryMs: retryMs } = config;
  const onError = (err: unknown): void => log.warn({ err }, 'webhook delivery failed; retrying');
  const sender = new WebhookSender({
    redis,
    prefix,
    secrets,
    policy: createAddressPolicy(config.fetchAllow),
    onError,
  });
  const queue = new WebhookQueue({ redis, prefix, jobs, reader, retryMs, onError });
  await queue.start();
  return [sender, queue];
}

function startBatches({ config, redis, services, log }: BackgroundParts): Stoppable {
  const lines = new BatchLineRunner({ ...services, log });
  const owner = randomUUID();
  const runner = new BatchRunner({
    batches: services.batches,
    locks: new BatchLocks(redis, config.prefix, { owner, ms: BATCH_LOCK_MS }),
    stepper: new BatchStepper({ ...services, lines }),
    onError: (err) => log.warn({ err }, 'batch step failed; retrying'),
  });
  runner.start();
  return runner;
}
