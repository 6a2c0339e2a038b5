import test from 'ava';
import { Type } from 'typebox';
import { fleetConfig, readConfig, storeOptions } from '@epd/service';

const options = (env: Record<string, string>) =>
  storeOptions(readConfig(Type.Object({ ...fleetConfig.store }), env));

test('the folder store is in the data folder unless it has one of its own', (t) => {
  t.deepEqual(options({ EPD_DATA_DIR: '/data' }), { kind: 'folder', root: '/data/store' });
  t.deepEqual(options({ EPD_DATA_DIR: '/data', EPD_STORE_DIR: '/shared' }), {
    kind: 'folder',
    root: '/shared',
  });
});

test('S3 takes its endpoint and keys from the settings', (t) => {
  const env = {
    EPD_STORE: 's3',
    EPD_S3_ENDPOINT: 'http://127.0.0.1:9000',
    EPD_S3_BUCKET: 'epd',
    EPD_S3_ACCESS_KEY_ID: 'id',
    EPD_S3_SECRET_ACCESS_KEY: 'secret',
  };
  t.deepEqual(options(env), {
    kind: 's3',
    endpoint: 'http://127.0.0.1:9000',
    bucket: 'epd',
    region: 'us-east-1',
    forcePathStyle: true,
    accessKeyId: 'id',
    secretAccessKey: 'secret',
  });
});

test('S3 without keys leaves the credentials to the SDK', (t) => {
  t.deepEqual(options({ EPD_STORE: 's3', EPD_S3_BUCKET: 'b', EPD_S3_FORCE_PATH_STYLE: 'false' }), {
    kind: 's3',
    bucket: 'b',
    region: 'us-east-1',
    forcePathStyle: false,
  });
});

test('S3 without a bucket, or with half a key pair, is refused by the name of what is missing', (t) => {
  t.throws(() => options({ EPD_STORE: 's3' }), { message: /EPD_S3_BUCKET/ });
  const half = { EPD_STORE: 's3', EPD_S3_BUCKET: 'b', EPD_S3_ACCESS_KEY_ID: 'id' };
  t.throws(() => options(half), { message: /EPD_S3_SECRET_ACCESS_KEY/ });
});
