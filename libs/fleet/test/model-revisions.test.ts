import { testRedis } from '@epd/service/testing';
import test from 'ava';
import { RedisModelRegistry, type ModelCard } from '../src/index.ts';

const card = (revision?: string): ModelCard => ({
  v: 1,
  id: 'tiny-vlm',
  fingerprint: 'f',
  ...(revision === undefined ? {} : { revision }),
  processing: {},
  geometry: {},
  contextLength: 2048,
  bytesPerTokenMax: 25,
  hiddenSize: 192,
  createdAtMs: 0,
});

/** A registry, and workers of it that say when they serve. */
function fleet(t: Parameters<typeof testRedis>[0], keptMs?: number) {
  const { redis, prefix } = testRedis(t);
  const registry = new RedisModelRegistry(redis, prefix, keptMs === undefined ? {} : { keptMs });
  const worker = async (name: string, revision: string) => {
    const serving: boolean[] = [];
    const announced = await registry.announce('prefill-decode', name, card(revision), (now) =>
      serving.push(now),
    );
    t.teardown(() => announced.stop());
    return { serving, stop: () => announced.stop() };
  };
  const serving = async (): Promise<string | undefined> =>
    (await registry.model('tiny-vlm'))?.revision;
  return { registry, redis, prefix, worker, serving };
}

test('a name points to its first revision while that has workers; others stand by', async (t) => {
  const { registry, worker, serving } = fleet(t);
  const encoder = await registry.announce('encoder', 'e', card());
  const first = await worker('one', 'old');
  const second = await worker('two', 'new');
  t.deepEqual([first.serving, second.serving], [[true], [false]]);
  t.is(await serving(), 'old');
  t.like(await registry.revisions('tiny-vlm'), [
    { revision: 'old', workers: 1, serving: true, pinned: false },
    { revision: 'new', workers: 1, serving: false, pinned: false },
  ]);
  await encoder.stop();
});

test('when the last worker of a revision has gone, the next that renews has its place', async (t) => {
  const { worker, serving } = fleet(t);
  const first = await worker('one', 'old');
  const mate = await worker('mate', 'old');
  await worker('two', 'new');
  await first.stop();
  t.deepEqual((await worker('three', 'new')).serving, [false]);
  await mate.stop();
  t.deepEqual((await worker('four', 'new')).serving, [true]);
  t.is(await serving(), 'new');
});

test('an operator moves a name and back; there it stays, whoever is alive', async (t) => {
  const { registry, worker, serving } = fleet(t);
  const old = await worker('one', 'old');
  await worker('two', 'new');
  t.true(await registry.serve('tiny-vlm', 'new'));
  t.is(await serving(), 'new');
  t.true(await registry.serve('tiny-vlm', 'old'));
  await old.stop();
  t.deepEqual((await worker('three', 'new')).serving, [false]);
  t.is(await serving(), 'old');
  t.true(await registry.serve('tiny-vlm', null));
  t.deepEqual((await worker('four', 'new')).serving, [true]);
});

test('a name is not moved to a revision that nobody has registered', async (t) => {
  const { registry, worker, serving } = fleet(t);
  await worker('one', 'old');
  t.false(await registry.serve('tiny-vlm', 'unheard of'));
  t.is(await serving(), 'old');
});

test('a worker learns within a renewal that its name was moved', async (t) => {
  const { registry, worker } = fleet(t);
  const old = await worker('one', 'old');
  const next = await worker('two', 'new');
  await registry.serve('tiny-vlm', 'new');
  const moved = async (): Promise<boolean> => old.serving.length + next.serving.length === 4;
  while (!(await moved())) await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual(
    [old.serving, next.serving],
    [
      [true, false],
      [false, true],
    ],
  );
});

test('a model leaves the list when none of its workers was seen for long', async (t) => {
  const { registry, redis, prefix, worker } = fleet(t, 60_000);
  const lease = await worker('one', 'old');
  t.is((await registry.models()).length, 1);
  t.true(((await registry.unservedMs('tiny-vlm')) ?? -1) >= 0);
  await lease.stop();
  await redis.zincrby(`${prefix}:models-seen`, -50_000, 'prefill-decode tiny-vlm');
  t.is((await registry.models()).length, 1);
  await redis.zincrby(`${prefix}:models-seen`, -50_000, 'prefill-decode tiny-vlm');
  t.is((await registry.models()).length, 0);
  t.is(await registry.unservedMs('tiny-vlm'), null);
});

test('a name that is pinned to a revision without workers is served by nobody, whoever stands by', async (t) => {
  const { registry, redis, prefix, worker } = fleet(t);
  const old = await worker('one', 'old');
  await registry.serve('tiny-vlm', 'old');
  t.is((await registry.workers('tiny-vlm')).prefillDecode, 1);
  await old.stop();
  await worker('two', 'new');
  t.is((await registry.workers('tiny-vlm')).prefillDecode, 0);
  await redis.zincrby(`${prefix}:models-seen`, -50_000, 'prefill-decode tiny-vlm');
  await worker('three', 'new');
  t.true(
    ((await registry.unservedMs('tiny-vlm')) ?? 0) >= 50_000,
    'those that stand by serve nothing',
  );
  await registry.serve('tiny-vlm', null);
  await worker('four', 'new');
  t.is((await registry.workers('tiny-vlm')).prefillDecode, 3);
});

test('a pin goes with the card of its model', async (t) => {
  const { registry, redis, prefix, worker, serving } = fleet(t, 60_000);
  const old = await worker('one', 'old');
  await registry.serve('tiny-vlm', 'old');
  await old.stop();
  await redis.zincrby(`${prefix}:models-seen`, -100_000, 'prefill-decode tiny-vlm');
  t.is((await registry.models()).length, 0);
  t.deepEqual((await worker('two', 'new')).serving, [true]);
  t.is(await serving(), 'new');
});

test('a card that Redis has lost comes back, be its revision pinned and without workers', async (t) => {
  const { registry, redis, prefix, worker, serving } = fleet(t);
  const old = await worker('one', 'old');
  await registry.serve('tiny-vlm', 'old');
  await old.stop();
  await redis.del(`${prefix}:models`);
  t.deepEqual((await worker('two', 'new')).serving, [false]);
  t.is(await serving(), 'old');
});

test('a pin to a revision that nobody knows any more ends', async (t) => {
  const { registry, redis, prefix, worker, serving } = fleet(t);
  const old = await worker('one', 'old');
  await registry.serve('tiny-vlm', 'old');
  await old.stop();
  await redis.del(`${prefix}:models`, `${prefix}:revisions:tiny-vlm`);
  t.deepEqual((await worker('two', 'new')).serving, [true]);
  t.is(await serving(), 'new');
});
