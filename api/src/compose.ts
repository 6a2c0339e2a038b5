import { EmbeddingStore, EncodeRequester, UuidAliases, type ObjectStore } from '@epd/connector';
import { RedisJobStore, RedisModelRegistry } from '@epd/jobs';
import type { Redis } from 'ioredis';
import { Acceptor } from './accept/acceptor.ts';
import { ImageIntake } from './accept/image-intake.ts';
import { JobEnder } from './accept/job-ender.ts';
import type { ApiConfig } from './config.ts';
import { FileRecords } from './files/file-records.ts';
import { Files } from './files/files.ts';
import { createAddressPolicy } from './media/address-policy.ts';
import { ImageFetcher } from './media/image-fetcher.ts';
import { ModelDirectory } from './model-directory.ts';
import type { Services } from './services.ts';
import { JobReader } from './views/job-reader.ts';

export interface Foundations {
  readonly config: ApiConfig;
  readonly redis: Redis;
  /** Holds pictures and, beside them, embeddings. */
  readonly store: ObjectStore;
}

export interface Composed extends Services {
  close(): Promise<void>;
}

/** The services over what is outside the process. Closing leaves the foundations open. */
export function composeServices({ config, redis, store }: Foundations): Composed {
  const { prefix } = config;
  const jobs = new RedisJobStore({ redis, prefix, retentionMs: config.retentionS * 1000 });
  const models = new ModelDirectory(new RedisModelRegistry(redis, prefix));
  const fetcher = new ImageFetcher({
    policy: createAddressPolicy(config.fetchAllow),
    allowHttp: config.fetchHttp,
    timeoutMs: config.fetchTimeoutMs,
  });
  const aliases = new UuidAliases({ redis, prefix });
  const embeddings = new EmbeddingStore({ store });
  const encodes = new EncodeRequester({ redis, prefix, embeddings });
  const records = new FileRecords(redis, prefix);
  const intake = new ImageIntake({
    inputs: store,
    fetcher,
    aliases,
    files: records,
    limits: config,
  });
  const acceptor = new Acceptor({ jobs, models, intake, encodes, limits: config });
  return {
    jobs,
    models,
    inputs: store,
    encodes,
    acceptor,
    ender: new JobEnder(jobs, encodes),
    reader: new JobReader(jobs, models),
    files: new Files({ records, store, intake }),
    close: async () => {
      await fetcher.close();
      await encodes.close();
      await jobs.close();
    },
  };
}
