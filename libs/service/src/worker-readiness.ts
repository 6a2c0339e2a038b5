import type { Redis } from 'ioredis';
import type { Readiness } from './telemetry.ts';

interface RestsOn {
  readonly redis: Redis;
  readonly store: { ping(): Promise<void> };
  readonly model: string | null;
  /** Null: the worker has not announced itself yet. */
  readonly announced: { isListed(): Promise<boolean> } | null;
}

/**
 * Whether a worker takes work: it has loaded its model (before, it is null), reaches what it rests on, and is
 * listed as one. Should Redis lose its lease, it is listed again with the next renewal.
 */
export async function workerReadiness(
  worker: { readonly isRunning: boolean } | null,
  { redis, store, model, announced }: RestsOn,
): Promise<Readiness> {
  const connected = redis.status === 'ready';
  if (worker === null) {
    const reason = connected ? 'the model is being loaded' : 'Redis is not reachable';
    return { ready: false, reason };
  }
  // Commands wait while the connection is down: then there is nothing to ask.
  const [listed] = await Promise.all([
    connected && announced !== null && announced.isListed(),
    store.ping(),
  ]);
  const { isRunning } = worker;
  const ready = isRunning && redis.status === 'ready' && listed;
  return { ready, model, redis: redis.status, takesWork: isRunning, listed };
}
