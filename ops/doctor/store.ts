import { statfs } from 'node:fs/promises';
import { createObjectStore, type ObjectStore } from '@epd/connector';
import { storeOptions } from '@epd/service';
import type { DoctorConfig } from './config.ts';
import { s3Fix } from './s3-fix.ts';
import { fail, guarded, milliseconds, ok, warn, type Finding } from './finding.ts';

const SIZE = 150 * 1024;
const FREE_BYTES_WARN = 5 * 2 ** 30;
const SLOW_MS = 250;

/** Puts, gets and deletes one object of its own, as the services do. */
export function checkStore(config: DoctorConfig): Promise<Finding[]> {
  const fix = (error: unknown): string =>
    config.store === 's3' ? s3Fix(error, config) : 'Let every process write to EPD_STORE_DIR';
  return guarded('store', fix, async () => {
    const options = storeOptions(config);
    const store = await createObjectStore(options);
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
  try {
    // A put first: what S3 answers to the HEAD of a ping has no body, and so no reason in it.
    const put = await timed(() => store.put(key, bytes));
    const got = await timed(() => store.get(key));
    return [
      whole(bytes, got.result, put.ms, got.ms),
      await conditional(store),
      await gone(store, key),
      ...(await answersProbe(store)),
    ];
  } finally {
    await store.delete(key).catch(() => undefined);
  }
}

/** The store makes up for a server that ignores conditions; so it is asked, and no put tried. */
async function conditional(store: ObjectStore): Promise<Finding> {
  const check = 'store conditional put';
  if ((await store.honoursConditions?.()) ?? true) return ok(check, 'honoured');
  const fix = 'Nothing depends on it; it would save a check before each upload';
  return warn(check, 'If-None-Match is not honoured', fix);
}

/** Every process asks this for its readiness; in S3 it takes another right than what is above. */
function answersProbe(store: ObjectStore): Promise<Finding[]> {
  const fix = 'Allow s3:ListBucket on the bucket: without it no process gets ready';
  return guarded('store probe', fix, async () => {
    await store.ping();
    return [ok('store probe', 'answers')];
  });
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
    ? ok('store delete', 'deleted at once')
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
