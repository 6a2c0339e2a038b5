import { randomUUID } from 'node:crypto';
import { buildApp } from 'fauxqs';
import { S3Store, type S3StoreOptions } from '../stores/s3-store.ts';

export type S3Settings = Required<
  Pick<S3StoreOptions, 'endpoint' | 'region' | 'accessKeyId' | 'secretAccessKey'>
> & { readonly forcePathStyle: true };

export interface EmbeddedS3 extends S3Settings {
  /** An empty one, already there. */
  readonly bucket: string;
  stop(): Promise<void>;
}

/** The part of ava's `t` that ends what a test began. */
interface Teardown {
  teardown(end: () => Promise<void>): void;
}

/**
 * An S3 server in this process, in memory, on 127.0.0.1, ended with the test when `t` is given. It
 * verifies no signatures, ignores conditions on puts, and takes bodies up to 11 MiB.
 */
export async function startS3(t?: Teardown): Promise<EmbeddedS3> {
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  const stop = () => app.close();
  t?.teardown(stop);
  const settings = s3Settings(endpoint, 'test', 'test');
  const bucket = `epd-test-${randomUUID()}`;
  await makeBucket(settings, bucket);
  return { ...settings, bucket, stop };
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

async function makeBucket(settings: S3Settings, bucket: string): Promise<void> {
  const store = new S3Store({ ...settings, bucket });
  await store.ensureBucket();
  await store.close();
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
