import type { Redis } from 'ioredis';
import type { Readiness } from './telemetry.ts';

interface Dependencies {
  readonly redis: Redis;
  readonly store: { ping(): Promise<void> };
  /** Whether the store was the fleet's at the last check. */
  readonly fleetStore: {
    readonly state: { readonly verdict: 'ours' | 'other' | 'unknown'; readonly reason: string };
  };
  /** Whether all of the worker's work needs the store; otherwise it is ready without it. */
  readonly needsStore: boolean;
  readonly model: string | null;
  /** Null: the worker has not registered yet. */
  readonly announced: { isListed(): Promise<boolean> } | null;
}

/**
 * Whether a worker claims work: it has loaded its model (null before), reaches its dependencies,
 * and is registered. If Redis loses its lease, the next renewal registers it again.
 */
export async function workerReadiness(
  worker: { readonly isRunning: boolean } | null,
  dependencies: Dependencies,
): Promise<Readiness> {
  const { redis, fleetStore, needsStore, model, announced } = dependencies;
  const connected = redis.status === 'ready';
  const { verdict, reason } = fleetStore.state;
  const mayUseStore = verdict === 'ours' || (verdict === 'unknown' && !needsStore);
  if (worker === null) {
    if (!connected) return { ready: false, reason: 'Redis is unreachable' };
    return { ready: false, reason: mayUseStore ? 'the model is loading' : reason };
  }
  // Commands would wait while the connection is down, so no command is sent.
  const [store, listed] = await Promise.all([
    storeReport(dependencies),
    connected && announced !== null && announced.isListed(),
  ]);
  const { isRunning } = worker;
  const reaches = redis.status === 'ready' && (store === 'ok' || !needsStore);
  const ready = isRunning && reaches && listed && verdict !== 'other';
  return { ready, model, redis: redis.status, store, takesWork: isRunning, listed };
}

/**
 * Time limit of the store check in milliseconds: a probe waits three seconds for the whole report.
 */
const STORE_MS = 1_000;

/** `ok`, or why the store is not usable. */
async function storeReport({ store, fleetStore }: Dependencies): Promise<string> {
  if (fleetStore.state.verdict === 'other') return fleetStore.state.reason;
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new Error(`The store did not respond within ${STORE_MS} ms`)),
    STORE_MS,
  );
  try {
    await Promise.race([store.ping(), silence.promise]);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
