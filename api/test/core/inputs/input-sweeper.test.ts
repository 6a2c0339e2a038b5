import { FolderStore, inputKey, sha256Hex } from '@epd/connector';
import { withClock } from '@epd/connector/testing';
import { tempFolder, testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { InputSweeper, type InputSweeperOptions } from '../../../src/core/inputs/input-sweeper.ts';
import { InputUsage } from '../../../src/core/inputs/input-usage.ts';
import { StoreNotOwnedError } from '../../../src/core/inputs/store-owner.ts';

const hashOf = (name: string): string => sha256Hex(Buffer.from(name));

const HOUR_MS = 3_600_000;
const NAMES = ['a', 'b', 'c', 'd'];

async function* none(): AsyncIterable<string> {}

async function* unreadable(): AsyncIterable<string> {
  yield 'inputs/other';
  throw new Error('a record of a newer version');
}

async function setUp(t: ExecutionContext, options: Partial<InputSweeperOptions> = {}) {
  const { redis, prefix } = testRedis(t);
  const root = await tempFolder(t);
  const store = new FolderStore({ root });
  const usage = new InputUsage({ redis, prefix });
  const referred: string[] = [];
  const sweeper = new InputSweeper({
    redis,
    prefix,
    store,
    usage,
    ttlMs: 10 * HOUR_MS,
    retentionMs: 2 * HOUR_MS,
    references: async function* references() {
      yield* referred;
    },
    ...options,
  });
  /** As accepted so long ago. */
  const accepted = async (name: string, hoursAgo: number) => {
    await usage.touch(hashOf(name));
    await store.put(inputKey(hashOf(name)), Buffer.from(name), { onlyIfAbsent: true });
    await redis.zadd(`${prefix}:inputs:used`, Date.now() - hoursAgo * HOUR_MS, hashOf(name));
  };
  const left = async () => {
    const stats = await Promise.all(NAMES.map((name) => store.stat(inputKey(hashOf(name)))));
    return NAMES.filter((_, index) => stats[index] !== null);
  };
  return { redis, prefix, root, store, usage, referred, sweeper, accepted, left };
}

test('an image goes when it was not used for its time to live and that of job records', async (t) => {
  const { accepted, sweeper, left, usage, redis, prefix } = await setUp(t);
  await accepted('a', 13);
  await accepted('b', 11);
  await accepted('c', 9);
  t.like(await sweeper.sweep(), { expired: 1, kept: 0 });
  t.deepEqual(await left(), ['b', 'c']);
  t.deepEqual((await redis.keys(`${prefix}:inputs:*`)).toSorted(), [
    `${prefix}:inputs:owner`,
    `${prefix}:inputs:used`,
  ]);
  t.deepEqual(
    (await usage.unused(0, 10)).map(({ sha256 }) => sha256),
    [hashOf('b'), hashOf('c')],
  );
});

test('an image that something refers to stays, however old, and a full time to live after that', async (t) => {
  const { accepted, sweeper, left, referred } = await setUp(t);
  await accepted('a', 1000);
  await accepted('b', 1000);
  referred.push(inputKey(hashOf('a')));
  t.like(await sweeper.sweep(), { expired: 1, kept: 1 });
  referred.pop();
  t.like(await sweeper.sweep(), { expired: 0, kept: 0 });
  t.deepEqual(await left(), ['a']);
  await accepted('a', 13);
  t.like(await sweeper.sweep(), { expired: 1 });
});

test('an image that is asked about after the references were read stays', async (t) => {
  const setup = await setUp(t, {
    references: async function* references() {
      // By another process, which has not just touched it.
      await new InputUsage(setup).touch(hashOf('a'));
      yield 'inputs/other';
    },
  });
  await setup.accepted('a', 1000);
  t.like(await setup.sweeper.sweep(), { expired: 0, kept: 0 });
  t.deepEqual(await setup.left(), ['a']);
});

test('who asks about an image that is being deleted waits until it is gone', async (t) => {
  const { accepted, redis, prefix, store, usage, left } = await setUp(t);
  await accepted('a', 1000);
  t.true(await usage.claim(hashOf('a'), HOUR_MS));
  let touched = false;
  const touch = new InputUsage({ redis, prefix }).touch(hashOf('a')).then(() => (touched = true));
  await store.delete(inputKey(hashOf('a')));
  for (let turn = 0; turn < 50; turn += 1) await redis.ping(); // it has asked, more than once
  t.false(touched);
  await usage.deleted(hashOf('a'));
  await touch;
  t.true(
    (await store.put(inputKey(hashOf('a')), Buffer.from('a'), { onlyIfAbsent: true })).created,
  );
  t.deepEqual(await left(), ['a']);
  t.false(await usage.claim(hashOf('a'), HOUR_MS));
});

test('an image that the books do not know is taken to be used now', async (t) => {
  const { accepted, redis, prefix, sweeper, left, usage } = await setUp(t);
  await accepted('a', 1000);
  await redis.del(`${prefix}:inputs:used`);
  t.like(await sweeper.sweep(), { expired: 0 });
  t.deepEqual(await left(), ['a']);
  t.is((await usage.unused(0, 10)).length, 1);
});

test('in a store that another fleet sweeps nothing is deleted, nor after Redis was replaced', async (t) => {
  const { accepted, redis, prefix, store, usage, sweeper, left } = await setUp(t);
  await accepted('a', 1000);
  await sweeper.sweep();
  await accepted('b', 1000);
  const other = new InputSweeper({
    redis,
    prefix: `${prefix}-other`,
    store,
    usage,
    ttlMs: 0,
    retentionMs: 0,
    references: none,
    recorded: ['files'],
  });
  await t.throwsAsync(other.sweep(), { instanceOf: StoreNotOwnedError });
  await redis.del(`${prefix}:inputs:owner`);
  await t.throwsAsync(sweeper.sweep(), {
    message: /another fleet, or this one's Redis was replaced/,
  });
  t.deepEqual(await left(), ['b']);
});

test('who cannot read the references deletes nothing', async (t) => {
  const { accepted, sweeper, left } = await setUp(t, { references: unreadable });
  await accepted('a', 1000);
  await t.throwsAsync(sweeper.sweep());
  t.deepEqual(await left(), ['a']);
});

test('every one of many images is swept in the end', async (t) => {
  const { redis, prefix, sweeper, usage, referred } = await setUp(t);
  const entries = Array.from({ length: 1500 }, (_, index) => [
    Date.now() - (index % 3 === 0 ? 11 : 1000) * HOUR_MS,
    hashOf(String(index)),
  ]);
  await redis.zadd(`${prefix}:inputs:used`, ...entries.flat());
  for (let index = 1; index < 1500; index += 3) referred.push(inputKey(hashOf(String(index))));
  t.like(await sweeper.sweep(), { expired: 500, kept: 500 });
  t.is((await usage.unused(0, 2000)).length, 1000);
});

test('an object without its record goes after a day', async (t) => {
  const { store, root, sweeper, referred } = await setUp(t, { recorded: ['files', 'uploads'] });
  const keys = ['files/kept', 'files/expired', 'files/new', 'uploads/abandoned', 'other/x'];
  for (const key of keys) {
    await store.put(key, Buffer.from(key));
    const at = new Date(Date.now() - (key === 'files/new' ? 23 : 25) * HOUR_MS);
    await utimes(join(root, key), at, at);
  }
  referred.push('files/kept');
  t.is((await sweeper.sweep()).unrecorded, 2);
  const left = (await Array.fromAsync(store.list(''))).map(({ key }) => key).toSorted();
  t.deepEqual(left, ['files/kept', 'files/new', 'other/x', 'owner/inputs']);
});

test.serial('how old it is goes by Redis’s clock', async (t) => {
  const { store, sweeper } = await setUp(t, { recorded: ['files'] });
  await store.put('files/new', Buffer.from('new'));
  t.is((await withClock(25 * HOUR_MS, () => sweeper.sweep())).unrecorded, 0);
});
