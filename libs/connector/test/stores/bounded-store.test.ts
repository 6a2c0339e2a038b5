import test from 'ava';
import { BoundedStore } from '../../src/stores/bounded-store.ts';
import { MemoryStore } from '../../src/index.ts';

test('a miss while an object is being put takes nothing from the account', async (t) => {
  const inner = new MemoryStore();
  const put = inner.put.bind(inner);
  const missed = Promise.withResolvers<void>();
  inner.put = async (...args) => {
    await missed.promise;
    return put(...args);
  };
  const store = new BoundedStore(inner, 1_000);
  const putting = store.put('a', Buffer.alloc(100));
  t.is(await store.get('a'), null);
  missed.resolve();
  await putting;
  t.is(store.usedBytes, 100);
  await store.delete('a');
  t.is(store.usedBytes, 0);
  await inner.put('b', Buffer.alloc(10)); // not through the store, and gone again
  t.is(await store.get('c'), null);
  t.is(store.usedBytes, 0);
});
