import type { Embedding } from '@epd/connector';
import test from 'ava';
import { EmbeddingCache } from '../src/embedding-cache.ts';

const embedding = (bytes: number): Embedding => ({
  rows: 1,
  width: bytes / 4,
  dtype: 'F32',
  data: new Uint8Array(bytes),
});

const passThrough = (cache: EmbeddingCache, name: string, bytes: number): Promise<void> =>
  cache.pinned(name, embedding(bytes), () => Promise.resolve());

test('the latest are kept, up to the bound', async (t) => {
  const cache = new EmbeddingCache(16);
  for (const name of ['a', 'b', 'c']) await passThrough(cache, name, 8);
  t.deepEqual([...cache.keys()], ['b', 'c']);
  await passThrough(cache, 'b', 8);
  await passThrough(cache, 'd', 8);
  t.deepEqual([...cache.keys()], ['b', 'd']);
});

test('what is in use stays, whatever its size', async (t) => {
  const cache = new EmbeddingCache(4);
  await cache.pinned('large', embedding(400), async () => {
    await passThrough(cache, 'small', 4);
    t.true(cache.has('large'));
    await cache.pinned('large', embedding(400), () => Promise.resolve());
    t.true(cache.has('large'), 'it is still in use by the first');
  });
  t.false(cache.has('large'));
});

test('a cache of no bytes keeps nothing', async (t) => {
  const cache = new EmbeddingCache(0);
  await passThrough(cache, 'a', 4);
  t.is(cache.size, 0);
});
