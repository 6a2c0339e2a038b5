import type { Redis } from 'ioredis';

/**
 * Redis's time in milliseconds: times that processes compare (deadlines, leases) use one clock, so
 * that a machine with a wrong clock neither ends a job early nor lists a worker as gone.
 */
export async function serverTimeMs(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
