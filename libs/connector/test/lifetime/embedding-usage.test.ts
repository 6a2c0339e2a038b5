import { testRedis } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { EmbeddingUsage } from '../../src/index.ts';
import { hashOf } from '../helpers/embeddings.ts';
import { withClock } from '../../src/testing/with-clock.ts';

const CAT = hashOf('cat');
const DOG = hashOf('dog');

const usageOf = (t: ExecutionContext) => new EmbeddingUsage(testRedis(t));

test('what was saved is counted once, whatever is saved again', async (t) => {
  const usage = usageOf(t);
  await usage.record(CAT, 100);
  await usage.record(CAT, 120);
  await usage.record(DOG, 50);
  t.is(await usage.totalBytes(), 170);
  t.true(await usage.claim(CAT));
  t.true(await usage.claim(CAT), 'an unknown item may be deleted too');
  t.is(await usage.totalBytes(), 50);
});

test('the longest unused comes first, and a use makes it the last', async (t) => {
  const usage = usageOf(t);
  await usage.adopt(CAT, 1, 1000);
  await usage.adopt(DOG, 1, 2000);
  const order = async () => (await usage.oldest(10)).map(({ mmHash }) => mmHash);
  t.deepEqual(await order(), [CAT, DOG]);
  t.deepEqual(
    (await usage.oldest(10, 1500)).map(({ mmHash }) => mmHash),
    [CAT],
  );
  await usage.touch(CAT);
  t.deepEqual(await order(), [DOG, CAT]);
  await usage.touch(hashOf('never stored'));
  t.is((await order()).length, 2);
});

test('adopting what is known changes nothing', async (t) => {
  const usage = usageOf(t);
  await usage.record(CAT, 100);
  t.false(await usage.adopt(CAT, 7, 1));
  t.true(await usage.adopt(DOG, 50, 1));
  t.is(await usage.totalBytes(), 150);
});

test('what a store whose clock is ahead says was written is taken to be written now', async (t) => {
  const usage = usageOf(t);
  const nowMs = await usage.nowMs();
  await usage.adopt(CAT, 1, nowMs + 3_600_000);
  const [entry] = await usage.oldest(1);
  t.true(entry!.lastUsedAtMs - nowMs < 60_000);
});

test.serial(
  'a use is written down a minute after the last, though the clock was set back',
  async (t) => {
    const usage = usageOf(t);
    await usage.adopt(CAT, 1, 1000);
    await withClock(3_600_000, () => usage.touch(CAT));
    await usage.claim(CAT);
    await usage.adopt(CAT, 1, 1000);
    await withClock(0, () => usage.touch(CAT), 61_000);
    t.false(await usage.claim(CAT, { notUsedAfterMs: 1000 }));
  },
);

test('a leased item cannot be claimed until every lease has ended', async (t) => {
  const usage = usageOf(t);
  await usage.record(CAT, 100);
  await usage.lease(CAT, 'job-1');
  await usage.lease(CAT, 'job-2');
  t.false(await usage.claim(CAT));
  await usage.endLease(CAT, 'job-1');
  t.false(await usage.claim(CAT));
  await usage.endLease(CAT, 'job-2');
  t.true(await usage.claim(CAT));
});

test('a lease that is not renewed ends by itself, and force disregards leases', async (t) => {
  const usage = new EmbeddingUsage({ ...testRedis(t), leaseTtlMs: 30 });
  await usage.record(CAT, 100);
  await usage.lease(CAT, 'job');
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.true(await usage.claim(CAT));
  await usage.record(DOG, 100);
  await usage.lease(DOG, 'job');
  t.true(await usage.claim(DOG, { force: true }));
});

test('a short lease ends by itself, and shortens no other', async (t) => {
  const usage = usageOf(t);
  await usage.lease(CAT, 'job-1');
  await usage.lease(CAT, 'job-1', {}, 30);
  await usage.lease(CAT, 'job-2', {}, 30);
  await usage.lease(DOG, 'job-2', {}, 30);
  await new Promise((resolve) => setTimeout(resolve, 60));
  t.false(await usage.claim(CAT));
  t.true(await usage.claim(DOG));
});

test('a short lease that is extended lives as long as others, one that has ended stays ended', async (t) => {
  const usage = usageOf(t);
  await usage.lease(CAT, 'job', {}, 1_000);
  await usage.extendLease(CAT, 'job');
  await usage.extendLease(DOG, 'job');
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  t.false(await usage.claim(CAT));
  t.true(await usage.claim(DOG));
  await usage.endLease(CAT, 'job');
  await usage.extendLease(CAT, 'job');
  t.true(await usage.claim(CAT));
});

test('an item used since it was chosen cannot be claimed', async (t) => {
  const usage = usageOf(t);
  await usage.adopt(CAT, 1, 1000);
  t.false(await usage.claim(CAT, { notUsedAfterMs: 999 }));
  t.true(await usage.claim(CAT, { notUsedAfterMs: 1000 }));
});

test('an item is labelled by whoever wanted it before it was saved', async (t) => {
  const usage = usageOf(t);
  await usage.lease(CAT, 'job', { model: 'tiny', tenant: 'acme' });
  await usage.record(CAT, 100);
  await usage.record(DOG, 100);
  const entries = new Map(
    (await Array.fromAsync(usage.entries())).map((entry) => [entry.mmHash, entry]),
  );
  t.is(entries.get(CAT)?.model, 'tiny');
  t.is(entries.get(CAT)?.tenant, 'acme');
  t.is(entries.get(DOG)?.model, undefined);
});
