import {
  EmbeddingStore,
  EmbeddingUsage,
  EncodeRequester,
  InputUsage,
  UuidAliases,
  type ConnectorMetrics,
  type ObjectStore,
} from '@epd/connector';
import { RedisJobStore, RedisModelRegistry, ResidentImages } from '@epd/jobs';
import { ecMetrics, storeOptions, type Logger } from '@epd/service';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { Acceptor } from './accept/acceptor.ts';
import { ImageEncodes } from './accept/image-encodes.ts';
import { ImageIntake } from './accept/image-intake.ts';
import { JobEnder } from './accept/job-ender.ts';
import { ApiKeys } from './auth/api-keys.ts';
import { Authenticator } from './auth/authenticator.ts';
import { Tenants } from './auth/tenants.ts';
import { BatchStore } from './batches/batch-store.ts';
import { needsKeys, type ApiConfig } from './config.ts';
import { FileRecords } from './files/file-records.ts';
import { Files } from './files/files.ts';
import { createUploadSigner } from './files/s3-presigner.ts';
import { Uploads } from './files/uploads.ts';
import { MemoryBudget } from './http/memory-budget.ts';
import { Admission } from './limits/admission.ts';
import { Gatekeeper } from './limits/gatekeeper.ts';
import { QueuePositions } from './limits/queue-positions.ts';
import { RateLimiter } from './limits/rate-limiter.ts';
import { Throughput } from './limits/throughput.ts';
import { createAddressPolicy } from './media/address-policy.ts';
import { ImageFetcher } from './media/image-fetcher.ts';
import { ModelDirectory } from './model-directory.ts';
import { jobCounts, type JobCounts } from './metrics.ts';
import type { Services } from './services.ts';
import { JobReader } from './views/job-reader.ts';
import { WebhookRules } from './webhooks/webhook-rules.ts';
import { WebhookSecrets } from './webhooks/webhook-secrets.ts';

export interface Foundations {
  readonly config: ApiConfig;
  readonly redis: Redis;
  /** Holds pictures and, beside them, embeddings. */
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly log?: Logger;
}

export interface Composed extends Services {
  readonly counts: JobCounts;
  readonly ecMetrics: ConnectorMetrics;
  readonly admission: Admission;
  close(): Promise<void>;
}

/** The services over what is outside the process. Closing leaves the foundations open. */
export function composeServices({ config, redis, store, registry, log }: Foundations): Composed {
  const { prefix } = config;
  const jobs = new RedisJobStore({
    redis,
    prefix,
    retentionMs: config.retentionS * 1000,
    onUnreadable: (err) => log?.warn({ err }, 'a job is left out of a list'),
  });
  const models = new ModelDirectory(new RedisModelRegistry(redis, prefix));
  const usage = new EmbeddingUsage({ redis, prefix });
  const metrics = ecMetrics(registry);
  const counts = jobCounts(registry);
  const embeddings = new EmbeddingStore({ store, usage, metrics });
  const encodes = new EncodeRequester({ redis, prefix, embeddings, usage, metrics });
  const residents = new ResidentImages(redis, prefix);
  const limits = composeLimits(config, redis);
  const memory = new MemoryBudget(config.bodyMemoryBytes);
  const media = composeMedia(config, redis, store, memory);
  const acceptor = new Acceptor({
    jobs,
    models,
    encodes: new ImageEncodes({ encodes, residents }),
    counts,
    limits: config,
    ...(log === undefined ? {} : { log }),
    ...limits,
    ...media,
  });
  return {
    jobs,
    models,
    inputs: store,
    encodes,
    acceptor,
    counts,
    memory,
    ecMetrics: metrics,
    ender: new JobEnder(jobs, encodes),
    reader: new JobReader(jobs, models, new QueuePositions(redis, prefix, limits.throughput)),
    files: media.files,
    uploads: media.uploads,
    batches: new BatchStore(redis, prefix),
    ...composeAccess(config, redis),
    ...composeWebhooks(config),
    ...limits,
    close: async () => {
      media.signer?.close();
      await media.fetcher.close();
      await encodes.close();
      await jobs.close();
    },
  };
}

function composeMedia(config: ApiConfig, redis: Redis, store: ObjectStore, memory: MemoryBudget) {
  const fetcher = new ImageFetcher({
    policy: createAddressPolicy(config.fetchAllow),
    allowHttp: config.fetchHttp,
    timeoutMs: config.fetchTimeoutMs,
    maxFetches: config.maxFetches,
  });
  const aliases = new UuidAliases({ redis, prefix: config.prefix });
  const records = new FileRecords(redis, config.prefix);
  const intake = new ImageIntake({
    inputs: store,
    usage: new InputUsage({ redis, prefix: config.prefix }),
    fetcher,
    memory,
    aliases,
    files: records,
    limits: config,
  });
  const files = new Files({ records, store, intake });
  const signer = createUploadSigner(storeOptions(config), config.s3PublicEndpoint);
  const { prefix, maxImageBytes: maxBytes } = config;
  const uploads = new Uploads({ signer, redis, prefix, store, files, maxBytes });
  return { fetcher, intake, files, signer, uploads };
}

function composeLimits({ prefix, maxWaitingCost }: ApiConfig, redis: Redis) {
  const admission = new Admission(redis, prefix);
  const limiter = new RateLimiter(redis, prefix);
  const throughput = new Throughput(admission);
  const gatekeeper = new Gatekeeper({ admission, limiter, throughput, maxWaitingCost });
  return { admission, limiter, throughput, gatekeeper };
}

function composeAccess(config: ApiConfig, redis: Redis) {
  const limits = {
    requestsPerMinute: config.requestsPerMinute,
    tokensPerMinute: config.tokensPerMinute,
    waitingCost: config.tenantWaitingCost,
  };
  const keys = new ApiKeys(redis, config.prefix, config.apiKeys);
  const tenants = new Tenants(redis, config.prefix, limits);
  const { adminKey } = config;
  const authenticator = new Authenticator({
    keys,
    tenants,
    required: needsKeys(config),
    adminKey,
    limits,
  });
  return { keys, tenants, authenticator };
}

function composeWebhooks({ webhookHosts, webhookSecret, fetchHttp }: ApiConfig) {
  const signed = webhookSecret !== undefined;
  return {
    webhookRules: new WebhookRules({ hosts: webhookHosts, allowHttp: fetchHttp, signed }),
    webhookSecrets: signed ? new WebhookSecrets(webhookSecret) : null,
  };
}
