import { MemoryStore, StoreUnavailableError, type ObjectStore } from '@epd/connector';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import { FleetStore, fleetStoreKey, type StoreState } from '../src/fleet-store.ts';

function fleet(t: ExecutionContext) {
  const redis = new Redis(testRedisUrl());
  t.teardown(() => redis.disconnect());
  const prefix = testPrefix();
  const member = (
    store: Pick<ObjectStore, 'get' | 'put'>,
    name: string,
    changes: StoreState[] = [],
  ) => new FleetStore({ redis, prefix, store, name, onChange: (state) => changes.push(state) });
  return { redis, prefix, member };
}

test('processes on one store are of one fleet, whatever each calls it', async (t) => {
  const { member } = fleet(t);
  const store = new MemoryStore();
  t.is((await member(store, 's3 at a').look()).verdict, 'ours');
  t.is((await member(store, 's3 at b').look()).verdict, 'ours');
});

test('a process on another store is refused with both names, until the fleet moves there', async (t) => {
  const { redis, prefix, member } = fleet(t);
  await member(new MemoryStore(), 'folder /a').look();
  const changes: StoreState[] = [];
  const stray = member(new MemoryStore(), 'folder /b', changes);
  const { verdict, reason } = await stray.look();
  t.is(verdict, 'other');
  t.regex(reason, /folder \/b.*folder \/a/);
  await stray.look();
  t.is(changes.length, 1, 'an unchanged state is reported once');
  await redis.del(fleetStoreKey(prefix)); // as when nobody has renewed it for a minute
  t.is((await stray.look()).verdict, 'ours');
});

test('a store that is emptied, or a Redis that is, parts no fleet', async (t) => {
  const { redis, prefix, member } = fleet(t);
  const store = new MemoryStore();
  const running = member(store, 'a');
  await running.look();
  await store.delete('owner/store');
  const late = member(store, 'a');
  t.is((await late.look()).verdict, 'other', 'nobody has said yet that it is the same store');
  t.is((await running.look()).verdict, 'ours');
  t.is((await late.look()).verdict, 'ours');
  await redis.del(fleetStoreKey(prefix));
  t.deepEqual([(await running.look()).verdict, (await late.look()).verdict], ['ours', 'ours']);
});

test('racing processes give a new store one id', async (t) => {
  const { member } = fleet(t);
  const store = new MemoryStore();
  const looks = await Promise.all(
    Array.from({ length: 8 }, (_, index) => member(store, `${index}`).look()),
  );
  t.true(looks.every(({ verdict }) => verdict === 'ours'));
});

test('racing processes give a new bucket one id though its server ignores conditions', async (t) => {
  const { redis, prefix } = fleet(t);
  const bucket = new MemoryStore();
  const store = {
    get: (key: string) => bucket.get(key),
    put: (key: string, bytes: Uint8Array) => bucket.put(key, bytes),
  };
  const looks = await Promise.all(
    Array.from({ length: 8 }, () =>
      new FleetStore({ redis, prefix, store, name: 'the bucket a', isNameUnique: true }).look(),
    ),
  );
  t.deepEqual(
    looks.map(({ verdict }) => verdict),
    looks.map(() => 'ours'),
  );
});

test('two new folders of one path on two hosts stay two stores', async (t) => {
  const { member } = fleet(t);
  t.is((await member(new MemoryStore(), 'the folder /a').look()).verdict, 'ours');
  t.is((await member(new MemoryStore(), 'the folder /a').look()).verdict, 'other');
});

test('a store that does not answer is unknown, with its reason, and waited for', async (t) => {
  const { member } = fleet(t);
  const store = new MemoryStore();
  let away = true;
  const changes: StoreState[] = [];
  const patient = member(
    {
      put: (...put) => store.put(...put),
      get: async (key) => {
        if (away) throw new StoreUnavailableError('test', 'bucket a: NoSuchBucket');
        return store.get(key);
      },
    },
    'a',
    changes,
  );
  const ours = patient.until(['ours'], new AbortController().signal);
  t.is((await patient.look()).verdict, 'unknown');
  t.regex(patient.state.reason, /NoSuchBucket/);
  away = false;
  await ours;
  t.deepEqual(
    changes.map(({ verdict }) => verdict),
    ['unknown', 'ours'],
  );
});

test('a wait for the store ends with the process', async (t) => {
  const { member } = fleet(t);
  await member(new MemoryStore(), 'a').look();
  const stop = new AbortController();
  const waiting = member(new MemoryStore(), 'b').until(['ours'], stop.signal);
  stop.abort(new Error('stopping'));
  await t.throwsAsync(waiting);
});
