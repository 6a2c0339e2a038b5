import { withClock } from '@epd/connector/testing';
import { eventually, testRedis } from '@epd/service/testing';
import test from 'ava';
import { RedisModelRegistry, type ModelCard } from '../src/index.ts';

const CARD: ModelCard = {
  v: 1,
  id: 'tiny-vlm',
  fingerprint: 'f',
  processing: {},
  geometry: {},
  contextLength: 2048,
  bytesPerTokenMax: 25,
  hiddenSize: 192,
  createdAtMs: 0,
};

test.serial(
  'a model is known from its first worker on, its workers only while they renew',
  async (t) => {
    const { redis, prefix } = testRedis(t);
    const registry = new RedisModelRegistry(redis, prefix);
    t.is(await registry.model('tiny-vlm'), null);
    const lease = await registry.announce('encoder', 'one', CARD);
    t.deepEqual(await registry.workers('tiny-vlm'), { encoder: 1, prefillDecode: 0 });
    await lease.stop();
    t.deepEqual(await registry.workers('tiny-vlm'), { encoder: 0, prefillDecode: 0 });
    t.deepEqual(await registry.models(), [CARD]);
  },
);

test.serial(
  'leases are by the server’s clock: a process whose own is wrong strikes nobody out',
  async (t) => {
    const { redis, prefix } = testRedis(t);
    const registry = new RedisModelRegistry(redis, prefix);
    const right = await registry.announce('encoder', 'right', CARD);
    const wrong = await withClock(3_600_000, () => registry.announce('encoder', 'ahead', CARD));
    t.deepEqual(await registry.workers('tiny-vlm'), { encoder: 2, prefillDecode: 0 });
    const seen = await withClock(3_600_000, () => registry.workers('tiny-vlm'));
    t.is(seen.encoder, 2);
    await Promise.all([right.stop(), wrong.stop()]);
  },
);

test.serial('a worker announces itself and its model again when Redis has lost them', async (t) => {
  const { redis, prefix } = testRedis(t);
  const registry = new RedisModelRegistry(redis, prefix);
  const lease = await registry.announce('encoder', 'one', CARD);
  t.true(await lease.isListed());
  await redis.del(`${prefix}:models`, `${prefix}:workers:tiny-vlm:encoder`);
  t.false(await lease.isListed());
  await eventually(() => lease.isListed());
  t.deepEqual(await registry.models(), [CARD]);
  t.deepEqual(await registry.workers('tiny-vlm'), { encoder: 1, prefillDecode: 0 });
  await lease.stop();
});
