import type { ExecutionContext } from 'ava';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';

export const redisUrl = (): string => {
  const url = process.env['EPD_TEST_REDIS_URL'];
  if (!url) throw new Error('EPD_TEST_REDIS_URL must name a Redis server; `npm test` starts one');
  return url;
};

/** A connection that ends with the test, and a key prefix that no other test has. */
export function testRedis(t: ExecutionContext): { redis: Redis; prefix: string } {
  const prefix = `test-${randomUUID()}`;
  const redis = new Redis(redisUrl(), { maxRetriesPerRequest: null, connectionName: prefix });
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
