import type { Redis } from 'ioredis';
import type { Readiness } from './telemetry.ts';

interface RestsOn {
  readonly redis: Redis;
  readonly store: { ping(): Promise<void> };
  readonly model: string | null;
}

/** Whether a worker takes work: it has loaded its model (before, it is null), and reaches what it rests on. */
export async function workerReadiness(
  worker: { readonly isRunning: boolean } | null,
  { redis, store, model }: RestsOn,
): Promise<Readiness> {
  const connected = redis.status === 'ready';
  if (worker === null) {
    const reason = connected ? 'the model is being loaded' : 'Redis is not reachable';
    return { ready: false, reason };
  }
  // Commands wait while the connection is down: then there is nothing to ask.
  await Promise.all([store.ping(), connected ? redis.ping() : null]);
  const { isRunning } = worker;
  const ready = isRunning && redis.status === 'ready';
  return { ready, model, redis: redis.status, takesWork: isRunning };
}
