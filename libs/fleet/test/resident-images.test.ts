import { withClock } from '@epd/connector/testing';
import { eventually, testRedis } from '@epd/service/testing';
import test from 'ava';
import type { Redis } from 'ioredis';
import { ResidentImages } from '../src/index.ts';

/** As scripts ask: by Redis's clock. */
async function isResident(
  redis: Redis,
  images: ResidentImages,
  model: string,
  image: string,
): Promise<boolean> {
  const [[seconds], ends] = await Promise.all([
    redis.time(),
    redis.zscore(images.key(model), image),
  ]);
  return Number(ends ?? 0) > Number(seconds) * 1000;
}

test('an image is resident while a worker announces it, for that model only', async (t) => {
  const { redis, prefix } = testRedis(t);
  const images = new ResidentImages(redis, prefix);
  t.false(await isResident(redis, images, 'tiny-vlm', 'aa'));
  const stop = images.announce('tiny-vlm', () => ['aa', 'bb']);
  t.teardown(stop);
  t.true(await eventually(() => isResident(redis, images, 'tiny-vlm', 'aa')));
  t.false(await isResident(redis, images, 'other', 'aa'));
  t.true((await redis.pttl(`${prefix}:resident:tiny-vlm`)) > 0);
});

for (const [wrong, offsetMs] of [
  ['ahead', 3_600_000],
  ['behind', -3_600_000],
] as const) {
  test.serial(
    `a worker whose clock is an hour ${wrong} is believed as others are, and hides nothing of theirs`,
    async (t) => {
      const { redis, prefix } = testRedis(t);
      const images = new ResidentImages(redis, prefix);
      const key = `${prefix}:resident:tiny-vlm`;
      await redis.zadd(key, Date.now() + 6_000, 'theirs');
      const stop = await withClock(offsetMs, async () => {
        const announced = images.announce('tiny-vlm', () => ['its own']);
        await eventually(() => redis.zscore(key, 'its own'));
        return announced;
      });
      stop();
      t.true(await isResident(redis, images, 'tiny-vlm', 'theirs'));
      t.true(await isResident(redis, images, 'tiny-vlm', 'its own'));
      t.true(Number(await redis.zscore(key, 'its own')) < Date.now() + 7_000);
      t.true(await withClock(offsetMs, () => isResident(redis, images, 'tiny-vlm', 'its own')));
    },
  );
}
