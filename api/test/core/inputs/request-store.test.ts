import { MemoryStore, StoreUnavailableError } from '@epd/connector';
import test from 'ava';
import { RequestStore } from '../../../src/core/inputs/request-store.ts';

const UNAVAILABLE = { instanceOf: StoreUnavailableError };

/** A store that takes every call and answers none. */
class SilentStore extends MemoryStore {
  override get = () => new Promise<never>(() => {});
  override put = () => new Promise<never>(() => {});
  override stat = () => new Promise<never>(() => {});
}

test('a request waits no longer than the bound for a store that is silent', async (t) => {
  const store = new RequestStore(new SilentStore(), { waitMs: 5, refusal: () => '' });
  await t.throwsAsync(store.get('a', { maxBytes: 1_000 }), UNAVAILABLE);
  await t.throwsAsync(store.put('a', Buffer.from('1')), UNAVAILABLE);
  await t.throwsAsync(store.stat('a'), UNAVAILABLE);
});

test('what answers in time is passed on, errors too', async (t) => {
  const store = new RequestStore(new MemoryStore(), { waitMs: 60_000, refusal: () => '' });
  t.true((await store.put('a', [Buffer.from('1'), Buffer.from('2')])).created);
  t.is(Buffer.from((await store.get('a'))!).toString(), '12');
  t.is((await store.stat('a'))?.bytes, 2);
  await t.throwsAsync(store.get('a', { maxBytes: 1 }), { code: 'object_too_large' });
});

test('a store that is not the fleet’s is neither read nor written', async (t) => {
  const other = new MemoryStore();
  const store = new RequestStore(other, { waitMs: 60_000, refusal: () => 'not the fleet’s' });
  await t.throwsAsync(store.put('a', Buffer.from('1')), {
    ...UNAVAILABLE,
    message: /not the fleet’s/,
  });
  await t.throwsAsync(store.get('a'), UNAVAILABLE);
  t.throws(() => store.list(''), UNAVAILABLE);
  t.is(await other.stat('a'), null);
});
