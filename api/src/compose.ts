import {
  EmbeddingStore,
  EmbeddingUsage,
  EncodeRequester,
  type ConnectorMetrics,
  type ObjectStore,
} from '@epd/connector';
import { RedisModelRegistry, ResidentImages } from '@epd/fleet';
import { IndexClient, NoticePublisher } from '@epd/image-index';
import { Admission, RedisJobStore } from '@epd/jobs';
import { constraintLimits, ecMetrics, storeOptions, type Logger } from '@epd/service';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { Acceptor } from './core/accept/acceptor.ts';
import { ImageEncodes } from './core/accept/image-encodes.ts';
import { ImageResolver } from './core/accept/image-resolver.ts';
import { JobEnder } from './core/jobs/job-ender.ts';
import { ApiKeys } from './core/auth/api-keys.ts';
import { Authenticator } from './core/auth/authenticator.ts';
import { Tenants } from './core/auth/tenants.ts';
import { BatchInputs } from './core/batches/batch-inputs.ts';
import { BatchStore } from './core/batches/batch-store.ts';
import { needsKeys, type ApiConfig } from './config.ts';
import { FileRecords } from './core/files/file-records.ts';
import { Files } from './core/files/files.ts';
import { createUploadSigner } from './core/files/s3-presigner.ts';
import { Uploads } from './core/files/uploads.ts';
import { EncodedImages } from './core/images/encoded-images.ts';
import { ImageIndex } from './core/images/image-index.ts';
import { ImageVectors } from './core/images/image-vectors.ts';
import { InputUsage } from './core/inputs/input-usage.ts';
import { UuidAliases } from './core/inputs/uuid-aliases.ts';
import { MemoryBudget } from './http/memory-budget.ts';
import { Gatekeeper } from './core/limits/gatekeeper.ts';
import { QueuePositions } from './core/limits/queue-positions.ts';
import { RateLimiter } from './core/limits/rate-limiter.ts';
import { Throughput } from './core/limits/throughput.ts';
import { createAddressPolicy } from './core/media/address-policy.ts';
import { ImageFetcher } from './core/media/image-fetcher.ts';
import { ModelDirectory } from './core/models/model-directory.ts';
import { jobCounts, type JobCounts } from './core/metrics/api-metrics.ts';
import { FleetLookout } from './core/metrics/fleet-metrics.ts';
import type { Services } from './core/services.ts';
import { JobReader } from './core/jobs/job-reader.ts';
import { WebhookRules } from './core/webhooks/webhook-rules.ts';
import { WebhookSecrets } from './core/webhooks/webhook-secrets.ts';

export interface Foundations {
  readonly config: ApiConfig;
  readonly redis: Redis;
  /** The store of images and embeddings. */
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

/** The services over external dependencies. Closing leaves the connections open. */
export function composeServices({ config, redis, store, registry, log }: Foundations): Composed {
  const { prefix } = config;
  const jobs = new RedisJobStore({
    redis,
    prefix,
    retentionMs: config.retentionS * 1000,
    onUnreadable: (err) => log?.warn({ err }, 'skipped an unreadable job record in a list'),
  });
  const models = new ModelDirectory(new RedisModelRegistry(redis, prefix));
  const usage = new EmbeddingUsage({ redis, prefix });
  const metrics = ecMetrics(registry);
  const counts = jobCounts(registry);
  const embeddings = new EmbeddingStore({ store, usage, metrics, secret: config.embeddingKey });
  const encodes = new EncodeRequester({ redis, prefix, embeddings, usage, metrics });
  const residents = new ResidentImages(redis, prefix);
  const limits = composeLimits(config, redis);
  const memory = new MemoryBudget(config.bodyMemoryBytes);
  const media = composeMedia(config, redis, store, memory);
  const notices = config.index ? new NoticePublisher(redis, prefix) : null;
  const images = composeIndex(config, redis, log);
  const acceptor = new Acceptor({
    notices,
    jobs,
    models,
    encodes: new ImageEncodes({ encodes, residents }),
    counts,
    limits: { ...config, constraints: constraintLimits(config) },
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
    lookout: new FleetLookout(redis, prefix),
    ecMetrics: metrics,
    ender: new JobEnder(jobs, encodes),
    reader: new JobReader(jobs, models, new QueuePositions(redis, prefix, limits.throughput)),
    files: media.files,
    uploads: media.uploads,
    batches: new BatchStore(redis, prefix),
    images,
    notices,
    vectors: new ImageVectors({
      ...media,
      ...limits,
      encoded: new EncodedImages({ encodes, embeddings }),
    }),
    batchInputs: new BatchInputs({ files: media.files, memory, limits: lineLimits(config) }),
    ...composeAccess(config, redis),
    ...composeWebhooks(config),
    ...limits,
    close: async () => {
      await images.close();
      media.signer?.close();
      await media.fetcher.close();
      await encodes.close();
      await jobs.close();
    },
  };
}

function composeIndex({ index, prefix }: ApiConfig, redis: Redis, log?: Logger): ImageIndex {
  if (!index) return new ImageIndex(null);
  const onError = (err: Error): void => log?.warn({ err }, 'connection to the image index failed');
  return new ImageIndex(new IndexClient({ redis, prefix, onError }));
}

/** A line is a request's body. */
const lineLimits = ({ maxBodyBytes, maxJsonElements, maxJsonDepth }: ApiConfig) => ({
  maxLineBytes: maxBodyBytes,
  maxElements: maxJsonElements,
  maxDepth: maxJsonDepth,
});

function composeMedia(config: ApiConfig, redis: Redis, store: ObjectStore, memory: MemoryBudget) {
  const fetcher = new ImageFetcher({
    policy: createAddressPolicy(config.fetchAllow),
    allowHttp: config.fetchHttp,
    timeoutMs: config.fetchTimeoutMs,
    maxFetches: config.maxFetches,
  });
  const aliases = new UuidAliases({ redis, prefix: config.prefix });
  const records = new FileRecords(redis, config.prefix);
  const resolver = new ImageResolver({
    inputs: store,
    usage: new InputUsage({ redis, prefix: config.prefix }),
    fetcher,
    aliases,
    files: records,
    limits: config,
  });
  const files = new Files({ records, store, pictures: resolver });
  const signer = createUploadSigner(storeOptions(config), config.s3PublicEndpoint);
  const { prefix } = config;
  const uploads = new Uploads({ signer, redis, prefix, store, files, limits: config, memory });
  return { fetcher, resolver, files, signer, uploads };
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
    files: config.tenantFiles,
    fileBytes: config.tenantFileBytes,
    openUploads: config.tenantUploads,
    activeBatches: config.tenantBatches,
    minPriority: config.tenantMinPriority,
  };
  const defaults = { limits, webhookHosts: config.webhookHosts };
  const keys = new ApiKeys(redis, config.prefix, config.apiKeys);
  const tenants = new Tenants(redis, config.prefix, defaults);
  const { adminKey } = config;
  const authenticator = new Authenticator({
    keys,
    tenants,
    required: needsKeys(config),
    adminKey,
    defaults,
  });
  return { keys, tenants, authenticator };
}

function composeWebhooks({ webhookSecret, fetchHttp }: ApiConfig) {
  const signed = webhookSecret !== undefined;
  return {
    webhookRules: new WebhookRules({ allowHttp: fetchHttp, signed }),
    webhookSecrets: signed ? new WebhookSecrets(webhookSecret) : null,
  };
}
