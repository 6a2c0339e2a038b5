import type { ExecutionContext } from 'ava';
import { randomBytes } from 'node:crypto';
import { ObjectTooLargeError, StoreKeyError } from '../errors.ts';
import type { ObjectStore } from '../stores/object-store.ts';

/** Ava's `test`, or its `test.serial` for a store that does not like many visitors at once. */
export type DeclareTest = (title: string, body: (t: ExecutionContext) => Promise<void>) => void;

/** Makes an empty store for one test and registers its end with `t.teardown`. */
export type StoreFactory = (t: ExecutionContext) => Promise<ObjectStore>;

const BAD_KEYS = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/../b',
  '../a',
  'a/.',
  'a b',
  'a\\b',
  'ä',
  'a\0b',
  'a~b',
  'a'.repeat(1025),
];
const ODD_KEYS = ['a', 'A', '.a', '..a', 'a..b', '-', '_', 'a.b_c-D/0', 'x/y/z/w', 'a'.repeat(255)];

const RACERS = 8;

/** What every object store must do. `name` begins the titles. */
export function objectStoreConformance(
  test: DeclareTest,
  name: string,
  factory: StoreFactory,
): void {
  const behaves = (
    title: string,
    body: (t: ExecutionContext, store: ObjectStore) => Promise<void>,
  ) => test(`${name}: ${title}`, async (t) => body(t, await factory(t)));

  behaves('a get returns what was put', async (t, store) => {
    for (const size of [0, 1, 1000, 1 << 20]) {
      const body = randomBytes(size);
      await store.put('folder/object', body);
      t.true(same(await store.get('folder/object'), body), `${size} bytes`);
    }
  });

  behaves('a missing object is null, and looking for it creates nothing', async (t, store) => {
    t.is(await store.get('not/there'), null);
    t.is(await store.stat('not/there'), null);
    t.deepEqual(await Array.fromAsync(store.list('')), []);
  });

  behaves('stat returns size, etag and time', async (t, store) => {
    const { etag, created } = await store.put('a', Buffer.from('twelve bytes'));
    t.true(created);
    const stat = (await store.stat('a'))!;
    t.is(stat.bytes, 12);
    t.is(stat.etag, etag);
    t.true(Math.abs(stat.modifiedAtMs - Date.now()) < 60_000);
  });

  behaves('a second put replaces the first', async (t, store) => {
    await store.put('a', Buffer.from('first and longer'));
    await store.put('a', Buffer.from('second'));
    t.is(text(await store.get('a')), 'second');
  });

  behaves('a put only if absent leaves what is there', async (t, store) => {
    t.true((await store.put('a', Buffer.from('first'), { onlyIfAbsent: true })).created);
    const second = await store.put('a', Buffer.from('second'), { onlyIfAbsent: true });
    t.false(second.created);
    t.is(second.etag, (await store.stat('a'))!.etag);
    t.is(text(await store.get('a')), 'first');
  });

  behaves('racing puts leave one whole object', async (t, store) => {
    const bodies = Array.from({ length: RACERS }, (_, index) => Buffer.alloc(200_000, index));
    await Promise.all(bodies.map((body) => store.put('a', body, { onlyIfAbsent: true })));
    const stored = Buffer.from((await store.get('a'))!);
    t.true(bodies.some((body) => body.equals(stored)));
  });

  behaves('a put keeps its bytes when the caller reuses the buffer', async (t, store) => {
    const body = Buffer.from('before');
    await store.put('a', body);
    body.fill('x');
    t.is(text(await store.get('a')), 'before');
  });

  behaves('a view is stored without the rest of its buffer', async (t, store) => {
    await store.put('a', Buffer.from('0123456789').subarray(3, 6));
    t.is(text(await store.get('a')), '345');
  });

  behaves('bytes in shared memory can be put', async (t, store) => {
    const body = new Uint8Array(new SharedArrayBuffer(3));
    body.set([1, 2, 3]);
    await store.put('a', body);
    t.deepEqual([...(await store.get('a'))!], [1, 2, 3]);
  });

  behaves('parts are stored one behind the other', async (t, store) => {
    for (const size of [0, 1000, 1 << 20]) {
      const payload = new Uint8Array(new SharedArrayBuffer(size));
      payload.set(randomBytes(size));
      const parts = [Buffer.from('header'), payload];
      await store.put('a', parts, { onlyIfAbsent: true });
      t.true(same(await store.get('a'), Buffer.concat(parts)), `${size} bytes`);
      t.is((await store.stat('a'))!.bytes, 6 + size);
      await store.delete('a');
    }
  });

  behaves('a delete removes, also what is not there', async (t, store) => {
    await store.put('x/a', Buffer.from('1'));
    await store.delete('x/a');
    await store.delete('x/a');
    await store.delete('never/was');
    t.is(await store.get('x/a'), null);
    await store.put('x/a', Buffer.from('2'));
    t.is(text(await store.get('x/a')), '2');
  });

  behaves('an object larger than the reader allows throws', async (t, store) => {
    await store.put('a', Buffer.alloc(100));
    t.is((await store.get('a', { maxBytes: 100 }))!.byteLength, 100);
    const error = await t.throwsAsync(store.get('a', { maxBytes: 99 }), {
      instanceOf: ObjectTooLargeError,
    });
    t.is(error?.code, 'object_too_large');
  });

  behaves('a range is what lies there, and ends where the object does', async (t, store) => {
    await store.put('a', Buffer.from('0123456789'));
    const range = async (start: number, bytes: number) =>
      text(await store.getRange('a', { start, bytes }));
    t.is(await range(0, 3), '012');
    t.is(await range(4, 1), '4');
    t.is(await range(8, 100), '89');
    t.is(await range(10, 5), '');
    t.is(await store.getRange('b', { start: 0, bytes: 1 }), null);
  });

  behaves('a list names what starts with the prefix', async (t, store) => {
    for (const key of ['a/1', 'a/2', 'ab', 'b/1']) await store.put(key, Buffer.from(key));
    t.deepEqual(await keys(store, 'a'), ['a/1', 'a/2', 'ab']);
    t.deepEqual(await keys(store, 'a/'), ['a/1', 'a/2']);
    t.deepEqual(await keys(store, 'a/1'), ['a/1']);
    t.deepEqual(await keys(store, ''), ['a/1', 'a/2', 'ab', 'b/1']);
    t.deepEqual(await keys(store, 'c'), []);
    for await (const { bytes, etag } of store.list('b/')) {
      t.is(bytes, 3);
      t.is(etag, (await store.stat('b/1'))!.etag);
    }
  });

  behaves('keys that are no plain relative paths are refused by every method', async (t, store) => {
    for (const key of BAD_KEYS) {
      await t.throwsAsync(store.put(key, Buffer.from('x')), { instanceOf: StoreKeyError }, key);
      await t.throwsAsync(store.get(key), { instanceOf: StoreKeyError }, key);
      await t.throwsAsync(store.stat(key), { instanceOf: StoreKeyError }, key);
      await t.throwsAsync(store.delete(key), { instanceOf: StoreKeyError }, key);
    }
    await t.throwsAsync(keys(store, '../'), { instanceOf: StoreKeyError });
    t.deepEqual(await keys(store, ''), []);
  });

  behaves('odd but plain keys are kept apart', async (t, store) => {
    for (const key of ODD_KEYS) await store.put(key, Buffer.from(`of ${key}`));
    for (const key of ODD_KEYS) t.is(text(await store.get(key)), `of ${key}`);
    t.deepEqual(await keys(store, ''), ODD_KEYS.toSorted());
  });

  behaves('a body can be read into memory of the caller’s', async (t, store) => {
    const body = randomBytes(300_000);
    await store.put('a', body);
    let own = new Uint8Array(0) as Uint8Array;
    const read = await store.get('a', {
      allocate: (bytes) => (own = new Uint8Array(new SharedArrayBuffer(bytes))),
    });
    t.true(same(read, body));
    if (own.byteLength > 0) t.is(read!.buffer, own.buffer);
  });

  behaves('an aborted read rejects with the reason', async (t, store) => {
    await store.put('a', Buffer.from('1'));
    const reason = new Error('no longer wanted');
    const error = await t.throwsAsync(store.get('a', { signal: AbortSignal.abort(reason) }));
    t.is(error, reason);
  });

  behaves('a store that is there answers a ping', async (t, store) => {
    await t.notThrowsAsync(store.ping());
  });
}

async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  const found = await Array.fromAsync(store.list(prefix));
  return found.map(({ key }) => key).toSorted();
}

/** Not `deepEqual`, which takes a second for each megabyte. */
const same = (read: Uint8Array | null, body: Buffer): boolean =>
  read !== null && body.equals(Buffer.from(read));

const text = (body: Uint8Array | null): string | null => body && Buffer.from(body).toString();
