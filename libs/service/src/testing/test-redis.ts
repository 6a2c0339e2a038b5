import { randomBytes } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';

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

/** The part of ava's `t` that ends what a test began. */
interface Test {
  teardown(cleanUp: () => void): void;
}

/** A connection that ends with the test, and a prefix of the test's own. */
export function testRedis(t: Test): { readonly redis: Redis; readonly prefix: string } {
  const prefix = testPrefix();
  return { redis: testConnection(t, prefix), prefix };
}

/**
 * A connection that ends with the test, and with it all that were made of it. BullMQ renews the blocking connection
 * of a worker that was idle for some seconds, and does so also when the worker is closed meanwhile: the new
 * connection would keep the test's process alive for ever.
 */
export function testConnection(t: Test, connectionName = 'test'): Redis {
  const made: Redis[] = [];
  t.teardown(() => {
    for (const redis of made) {
      redis.on('ready', () => redis.disconnect());
      redis.disconnect();
    }
  });
  const kept = (redis: Redis): Redis => {
    made.push(redis);
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (override?: RedisOptions) => kept(duplicate(override));
    return redis;
  };
  return kept(new Redis(testRedisUrl(), { maxRetriesPerRequest: null, connectionName }));
}

/** Every key of the prefix with its time to live in milliseconds; -1: it stays for ever. */
export async function keysWithTtl(redis: Redis, prefix: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
    for (const key of keys as string[]) found.set(key, await redis.pttl(key));
  }
  return found;
}
