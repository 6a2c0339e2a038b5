import { testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { Redis } from 'ioredis';
import { checkKeys, documentedKeys } from '../../chaos/redis-keys.ts';

test('the documentation lists keys with a lifetime each', (t) => {
  const rules = documentedKeys();
  t.true(rules.length > 40);
  t.deepEqual([...new Set(rules.map(({ lifetime }) => lifetime))].toSorted(), [
    'expires',
    'permanent',
    'until',
  ]);
});

test('a key that is not documented, one that never expires, and one that should be gone are found', async (t) => {
  const redis = new Redis(testRedisUrl());
  const prefix = testPrefix();
  t.teardown(() => redis.disconnect());
  await redis.set(`${prefix}:surprise`, '1', 'PX', 60_000);
  await redis.hset(`${prefix}:job:job_1`, 'status', 'queued');
  await redis.zadd(`${prefix}:jobs:live`, 1, 'job_1');
  await redis.hset(`${prefix}:jobs:totals`, 'completed', 1);
  await redis.set(`${prefix}:reconciler`, '1', 'PX', 60_000);
  t.deepEqual(await checkKeys(redis, prefix, documentedKeys()), [
    { key: `${prefix}:job:job_1`, problem: 'without expiry' },
    { key: `${prefix}:jobs:live`, problem: 'left behind' },
    { key: `${prefix}:surprise`, problem: 'undocumented' },
  ]);
  await redis.del(...(await redis.keys(`${prefix}:*`)));
});
