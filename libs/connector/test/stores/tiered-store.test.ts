import test, { type ExecutionContext } from 'ava';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BoundedStore,
  FolderStore,
  MemoryStore,
  TieredStore,
  createObjectStore,
} from '../../src/index.ts';
import { objectStoreConformance } from '../../src/testing/index.ts';
import { temporaryFolder } from '../helpers/temporary-folder.ts';

objectStoreConformance(test, 'tiered store', async (t) => (await threeTiers(t)).tiered);

objectStoreConformance(test, 'store made from settings', async (t) => {
  const store = await createObjectStore({
    kind: 'folder',
    root: await temporaryFolder(t),
    caches: { memoryBytes: 1 << 20, disk: { root: await temporaryFolder(t), maxBytes: 1 << 22 } },
  });
  t.teardown(() => store.close());
  return store;
});

objectStoreConformance(test, 'bounded store', async (t) => {
  return new BoundedStore(new FolderStore({ root: await temporaryFolder(t) }), 1 << 24);
});

test('a put reaches every tier', async (t) => {
  const { tiered, memory, disk, durable } = await threeTiers(t);
  await tiered.put('a', Buffer.from('1'));
  for (const store of [memory, disk, durable]) t.truthy(await store.get('a'));
});

test('a read says which tier had it and fills the nearer ones', async (t) => {
  const { tiered, memory, disk, durable } = await threeTiers(t);
  await durable.put('a', Buffer.from('1'));
  t.is((await tiered.getFrom('a'))?.tier, 'store');
  await filled(tiered, 'a');
  t.is((await tiered.getFrom('a'))?.tier, 'memory');
  await memory.delete('a');
  t.is((await tiered.getFrom('a'))?.tier, 'disk');
  t.truthy(await disk.get('a'));
});

test('what the store lost is still read from a cache', async (t) => {
  const { tiered, durable } = await threeTiers(t);
  await tiered.put('a', Buffer.from('1'));
  await durable.delete('a');
  t.truthy(await tiered.get('a'));
  t.true(await tiered.isCached('a'));
  t.is(await tiered.stat('a'), null);
});

test('a cache that fails costs nothing but time', async (t) => {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'file'), '');
  const broken = new FolderStore({ root: join(folder, 'file') });
  const errors: string[] = [];
  const tiered = new TieredStore(
    [
      { name: 'broken', store: broken },
      { name: 'store', store: new MemoryStore() },
    ],
    { onCacheError: (tier) => errors.push(tier) },
  );
  t.teardown(() => tiered.close());
  await tiered.put('a', Buffer.from('1'));
  t.is((await tiered.getFrom('a'))?.tier, 'store');
  t.true(errors.length > 0);
});

test('a bad copy can be dropped from a cache alone', async (t) => {
  const { tiered } = await threeTiers(t);
  await tiered.put('a', Buffer.from('1'));
  t.true(await tiered.dropFromCache('a', 'memory'));
  t.true(await tiered.dropFromCache('a', 'disk'));
  t.false(await tiered.dropFromCache('a', 'store'));
  t.is((await tiered.getFrom('a'))?.tier, 'store');
});

test('a bounded store never exceeds its bytes and drops what was used longest ago', async (t) => {
  const store = new BoundedStore(new FolderStore({ root: await temporaryFolder(t) }), 30);
  for (const key of ['a', 'b', 'c']) await store.put(key, Buffer.alloc(10));
  await store.get('a');
  await store.put('d', Buffer.alloc(10));
  t.is(await store.get('b'), null);
  t.is((await store.put('huge', Buffer.alloc(31))).created, false);
  const listed = await Array.fromAsync(store.list(''));
  t.deepEqual(listed.map(({ key }) => key).toSorted(), ['a', 'c', 'd']);
});

test('a bounded store counts what an earlier run left', async (t) => {
  const root = await temporaryFolder(t);
  const earlier = new FolderStore({ root });
  for (const [second, key] of ['a', 'b', 'c'].entries()) {
    await earlier.put(key, Buffer.alloc(10));
    await utimes(join(root, key), second, second); // files of one tick of the clock have one time
  }
  const store = new BoundedStore(new FolderStore({ root }), 25);
  await store.put('d', Buffer.alloc(5));
  t.is(store.usedBytes, 25);
  t.is(await store.get('a'), null);
});

async function threeTiers(t: ExecutionContext) {
  const memory = new MemoryStore({ maxBytes: 1 << 22 });
  const disk = new BoundedStore(new FolderStore({ root: await temporaryFolder(t) }), 1 << 22);
  const durable = new MemoryStore();
  const tiered = new TieredStore([
    { name: 'memory', store: memory },
    { name: 'disk', store: disk },
    { name: 'store', store: durable },
  ]);
  t.teardown(() => tiered.close());
  return { tiered, memory, disk, durable };
}

/** Background fills are done once a drop of the key has waited for them. */
async function filled(tiered: TieredStore, key: string): Promise<void> {
  await tiered.dropFromCache(key, 'no such tier');
}
