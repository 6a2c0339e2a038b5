import test from 'ava';
import { MemoryStore, ObjectTooLargeError } from '../../src/index.ts';
import { objectStoreConformance } from '../../src/testing/index.ts';

objectStoreConformance(test, 'memory store', async () => new MemoryStore());

test('a full memory store drops what was used longest ago', async (t) => {
  const store = new MemoryStore({ maxBytes: 30 });
  for (const key of ['a', 'b', 'c']) await store.put(key, Buffer.alloc(10));
  await store.get('a');
  await store.put('d', Buffer.alloc(10));
  t.is(await store.get('b'), null);
  t.truthy(await store.get('a'));
  t.is(store.usedBytes, 30);
});

test('an object that can never fit is refused and evicts nothing', async (t) => {
  const store = new MemoryStore({ maxBytes: 30 });
  await store.put('a', Buffer.alloc(30));
  await t.throwsAsync(store.put('b', Buffer.alloc(31)), { instanceOf: ObjectTooLargeError });
  t.truthy(await store.get('a'));
});

test('replacing and deleting objects keeps the account of bytes right', async (t) => {
  const store = new MemoryStore({ maxBytes: 100 });
  await store.put('a', Buffer.alloc(60));
  await store.put('a', Buffer.alloc(10));
  t.is(store.usedBytes, 10);
  await store.delete('a');
  await store.delete('a');
  t.is(store.usedBytes, 0);
});
