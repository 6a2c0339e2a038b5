import test from 'ava';
import { Redis } from 'ioredis';
import { batchWrites } from '../src/batched-writes.ts';
import { testPrefix, testRedisUrl } from '../src/testing/index.ts';

for (const until of ['tick', 'turn'] as const) {
  test(`commands that are sent together go out in one write, in order, each with its reply (${until})`, async (t) => {
    const redis = batchWrites(new Redis(testRedisUrl()), until);
    t.teardown(() => redis.disconnect());
    await redis.ping();
    const key = testPrefix();
    const replies = [redis.set(key, '1'), redis.incr(key), redis.get(key), redis.del(key)];
    t.is(redis.stream.writableCorked, 1); // nothing has gone out yet
    t.deepEqual(await Promise.all(replies), ['OK', 2, '2', 1]);
    t.is(redis.stream.writableCorked, 0);
  });
}

test('what is sent while the connection is down is sent when it is back', async (t) => {
  const redis = batchWrites(new Redis(testRedisUrl(), { retryStrategy: () => 10 }), 'turn');
  t.teardown(() => redis.disconnect());
  await redis.ping();
  const key = testPrefix();
  const before = redis.set(key, '1');
  redis.stream.destroy();
  const after = redis.append(key, '2');
  await Promise.all([before, after]);
  t.is(await redis.getdel(key), '12');
});
