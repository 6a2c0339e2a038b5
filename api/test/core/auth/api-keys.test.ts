import { withClock } from '@epd/connector/testing';
import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { Redis } from 'ioredis';
import { ApiKeys } from '../../../src/core/auth/api-keys.ts';

test.serial(
  'a revoked key is remembered for seconds only, though the clock was set back by an hour',
  async (t) => {
    const redis = new Redis(testRedisUrl());
    t.teardown(() => redis.disconnect());
    const prefix = testPrefix();
    const [here, elsewhere] = [new ApiKeys(redis, prefix, []), new ApiKeys(redis, prefix, [])];
    const { key, record } = await elsewhere.create({ tenant: 'alice' }, 'laptop');
    t.is((await withClock(3_600_000, () => here.grantOf(key)))?.tenant, 'alice');
    await elsewhere.revoke(record.id);
    t.is(await withClock(0, () => here.grantOf(key), 3_000), null);
  },
);
