import { statfs } from 'node:fs/promises';
import { createObjectStore, type ObjectStore } from '@epd/connector';
import { storeOptions } from '@epd/service';
import type { DoctorConfig } from './config.ts';
import { fail, guarded, milliseconds, ok, warn, type Finding } from './finding.ts';

const SIZE = 150 * 1024;
const FREE_BYTES_WARN = 5 * 2 ** 30;
const SLOW_MS = 250;

/** Puts, gets and deletes one object of its own, as the services do. */
export function checkStore(config: DoctorConfig): Promise<Finding[]> {
  const fix =
    config.store === 's3'
      ? 'Look at EPD_S3_ENDPOINT, EPD_S3_BUCKET, the keys or the role, and the bucket’s policy'
      : 'Let every process write to EPD_STORE_DIR';
  return guarded('store', fix, async () => {
    const options = storeOptions(config);
    const store = createObjectStore(options);
    try {
      const found = await roundTrip(store);
      return options.kind === 'folder' ? [...found, await space(options.root)] : found;
    } finally {
      await store.close();
    }
  });
}

async function roundTrip(store: ObjectStore): Promise<Finding[]> {
  const key = `doctor/${crypto.randomUUID()}`;
  const body = crypto.getRandomValues(new Uint8Array(65_536));
  const bytes = new Uint8Array(SIZE).map((_, index) => body[index % body.length]!);
  await store.ping();
  try {
    const put = await timed(() => store.put(key, bytes));
    const got = await timed(() => store.get(key));
    const conditional = await store.put(key, bytes, { onlyIfAbsent: true });
    return [
      whole(bytes, got.result, put.ms, got.ms),
      conditional.created
        ? warn(
            'store conditional put',
            'If-None-Match is not honoured',
            'Nothing rests on it; it would save uploads of embeddings that are there already',
          )
        : ok('store conditional put', 'honoured'),
      await gone(store, key),
    ];
  } finally {
    await store.delete(key).catch(() => undefined);
  }
}

function whole(sent: Uint8Array, got: Uint8Array | null, putMs: number, getMs: number): Finding {
  if (got === null || !Buffer.from(sent).equals(got)) {
    const found = got === null ? 'nothing came back' : 'other bytes came back than were put';
    return fail('store put and get', found, 'Do not use this server: embeddings would be damaged');
  }
  const found = `150 KiB put in ${milliseconds(putMs)}, read in ${milliseconds(getMs)}`;
  const fix = 'Bring the store nearer: each new image waits for a put and a get';
  return Math.max(putMs, getMs) > SLOW_MS
    ? warn('store put and get', found, fix)
    : ok('store put and get', found);
}

async function gone(store: ObjectStore, key: string): Promise<Finding> {
  await store.delete(key);
  const fix =
    'Allow s3:DeleteObject on the bucket, or use a lifecycle rule in place of the sweeper';
  return (await store.stat(key)) === null
    ? ok('store delete', 'gone at once')
    : warn('store delete', 'the object is still there', fix);
}

async function space(root: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(root);
  const found = `${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB free in ${root}`;
  const fix = 'Make room, or lower the bound of stored embeddings';
  return bavail * bsize < FREE_BYTES_WARN
    ? warn('store space', found, fix)
    : ok('store space', found);
}

async function timed<T>(act: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const begin = performance.now();
  const result = await act();
  return { result, ms: performance.now() - begin };
}
