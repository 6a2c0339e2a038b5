import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';

/** The Redis that tests share, started by `npm test`; each test keeps to its own `testPrefix()`. */
export function testRedisUrl(): string {
  const url = process.env['EPD_TEST_REDIS_URL'];
  if (!url) {
    throw new Error(
      'EPD_TEST_REDIS_URL is not set: run the tests with `npm test`, or set it to a Redis of yours',
    );
  }
  return url;
}

/** A key prefix that no other test has. */
export function testPrefix(): string {
  return `test-${randomBytes(6).toString('hex')}`;
}

/** A connection that ends with the test, and a prefix of the test's own. `t` is ava's. */
export function testRedis(t: { teardown(cleanUp: () => void): void }): {
  readonly redis: Redis;
  readonly prefix: string;
} {
  const prefix = testPrefix();
  const redis = new Redis(testRedisUrl(), { maxRetriesPerRequest: null, connectionName: prefix });
  t.teardown(() => redis.disconnect());
  return { redis, prefix };
}

/** Every key of the prefix with its time to live in milliseconds; -1: it stays for ever. */
export async function keysWithTtl(redis: Redis, prefix: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
    for (const key of keys as string[]) found.set(key, await redis.pttl(key));
  }
  return found;
}
