import { hostname } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './errors.ts';
import type { StoreConfig } from './fleet-config.ts';

/** Options of `createObjectStore` of @epd/connector. */
export type StoreOptions =
  | { readonly kind: 'folder'; readonly root: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly region: string;
      readonly forcePathStyle: boolean;
      readonly endpoint?: string;
      readonly accessKeyId?: string;
      readonly secretAccessKey?: string;
    };

/**
 * The object store that the settings describe. Throws ConfigError when those of S3 are incomplete.
 */
export function storeOptions(config: StoreConfig): StoreOptions {
  if (config.store === 'folder') {
    return { kind: 'folder', root: config.storeDir ?? join(config.dataDir, 'store') };
  }
  const { s3Bucket: bucket, s3Region: region, s3ForcePathStyle: forcePathStyle } = config;
  if (!bucket) {
    throw new ConfigError([{ variable: 'EPD_S3_BUCKET', expected: 'a text when EPD_STORE is s3' }]);
  }
  const endpoint = config.s3Endpoint === undefined ? {} : { endpoint: config.s3Endpoint };
  return { kind: 's3', bucket, region, forcePathStyle, ...endpoint, ...credentials(config) };
}

/** Name of the store in messages: its location, without secrets. */
export function storeName(options: StoreOptions): string {
  if (options.kind === 'folder') return `the folder ${options.root} on ${hostname()}`;
  return `the bucket ${options.bucket} at ${options.endpoint ?? `AWS, ${options.region}`}`;
}

/** The identity of a store: its name, and whether equal names mean the same store. */
export function storeIdentity(options: StoreOptions): { name: string; isNameUnique: boolean } {
  return { name: storeName(options), isNameUnique: options.kind === 's3' };
}

function credentials({ s3AccessKeyId, s3SecretAccessKey }: StoreConfig) {
  if (s3AccessKeyId && s3SecretAccessKey) {
    return { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey };
  }
  if (!s3AccessKeyId && !s3SecretAccessKey) return {};
  const variable = s3AccessKeyId ? 'EPD_S3_SECRET_ACCESS_KEY' : 'EPD_S3_ACCESS_KEY_ID';
  throw new ConfigError([{ variable, expected: 'set, because the other half of the key pair is' }]);
}
