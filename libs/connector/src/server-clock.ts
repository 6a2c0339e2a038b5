import type { Redis } from 'ioredis';

/**
 * The time by Redis, in milliseconds: what processes compare with each other (deadlines, leases) is
 * told by one clock, so that a machine whose own is wrong ends no job early and lists no worker as gone.
 */
export async function serverTimeMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
