import { buildApp } from 'fauxqs';
import type { S3StoreOptions } from '../stores/s3-store.ts';

export type S3Settings = Required<
  Pick<S3StoreOptions, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>
> & { readonly forcePathStyle: true };

export interface EmbeddedS3 {
  readonly settings: S3Settings;
  stop(): Promise<void>;
}

/**
 * An S3 server in this process, in memory, on 127.0.0.1. It verifies no signatures, ignores
 * conditions on puts, and takes bodies up to 11 MiB.
 */
export async function startS3(): Promise<EmbeddedS3> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  return { settings: s3Settings(endpoint, 'test', 'test'), stop: () => app.close() };
}

/** A real server, as `EPD_TEST_S3_ENDPOINT` and the two keys beside it name it; null: none given. */
export function givenS3(): S3Settings | null {
  const environment = process.env;
  const endpoint = environment['EPD_TEST_S3_ENDPOINT'];
  if (!endpoint) return null;
  return s3Settings(
    endpoint,
    environment['EPD_TEST_S3_ACCESS_KEY'] ?? 'test',
    environment['EPD_TEST_S3_SECRET_KEY'] ?? 'test',
  );
}

const s3Settings = (
  endpoint: string,
  accessKeyId: string,
  secretAccessKey: string,
): S3Settings => ({
  endpoint,
  region: 'us-east-1',
  accessKeyId,
  secretAccessKey,
  forcePathStyle: true,
});
