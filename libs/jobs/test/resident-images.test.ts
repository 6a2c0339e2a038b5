import { eventually } from '@epd/service/testing';
import test from 'ava';
import { ResidentImages } from '../src/index.ts';
import { testStore } from './helpers/store.ts';

test('an image is resident while a worker announces it, for that model only', async (t) => {
  const { redis, prefix } = testStore(t);
  const images = new ResidentImages(redis, prefix);
  t.false(await images.has('tiny-vlm', 'aa'));
  const stop = images.announce('tiny-vlm', () => ['aa', 'bb']);
  t.teardown(stop);
  t.true(await eventually(() => images.has('tiny-vlm', 'aa')));
  t.false(await images.has('other', 'aa'));
  t.true((await redis.pttl(`${prefix}:resident:tiny-vlm`)) > 0);
});
