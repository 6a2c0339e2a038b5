import { createObjectStore, type ObjectStore, type ObjectStoreConfig } from '@epd/connector';

/** Where the fleet's Redis and store are; the same variables as the fleet's own. */
export interface CacheSettings {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly root: string;
  readonly store: ObjectStoreConfig;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function readSettings(environment: Environment): CacheSettings {
  return {
    redisUrl: environment['EPD_REDIS_URL'] ?? 'redis://127.0.0.1:6379',
    prefix: environment['EPD_PREFIX'] ?? 'epd',
    root: environment['EPD_EMBEDDING_ROOT'] ?? 'embeddings',
    store:
      environment['EPD_STORE'] === 's3' ? s3Settings(environment) : folderSettings(environment),
  };
}

export const openStore = ({ store }: CacheSettings): ObjectStore => createObjectStore(store);

function folderSettings(environment: Environment): ObjectStoreConfig {
  const dataDir = environment['EPD_DATA_DIR'] ?? '.data';
  return { kind: 'folder', root: environment['EPD_STORE_DIR'] ?? `${dataDir}/store` };
}

function s3Settings(environment: Environment): ObjectStoreConfig {
  const bucket = environment['EPD_S3_BUCKET'];
  if (!bucket) throw new Error('EPD_S3_BUCKET must name the bucket when EPD_STORE is s3');
  const given = {
    endpoint: environment['EPD_S3_ENDPOINT'],
    region: environment['EPD_S3_REGION'],
    accessKeyId: environment['EPD_S3_ACCESS_KEY_ID'],
    secretAccessKey: environment['EPD_S3_SECRET_ACCESS_KEY'],
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    kind: 's3',
    bucket,
    ...(Object.fromEntries(set) as Partial<Record<keyof typeof given, string>>),
  };
}
