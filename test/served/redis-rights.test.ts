import { connectRedis } from '@epd/service';
import { testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { someLoad } from '../../ops/test/helpers/load.ts';
import { sharedFleet } from '../helpers/shared-fleet.ts';

test('a fleet needs no more rights in Redis than the handbook says', async (t) => {
  const fleet = await sharedFleet(t);
  await someLoad(fleet.url);
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  t.teardown(() => redis.disconnect());
  const denied = JSON.stringify(await redis.acl('LOG'));
  t.false(denied.includes(fleet.redisUser), denied);
});
