import type { Redis } from 'ioredis';
import type { Readiness } from './telemetry.ts';

interface Dependencies {
  readonly redis: Redis;
  readonly store: { ping(): Promise<void> };
  /** Whether the store is the one of the fleet, as it was last seen. */
  readonly fleetStore: {
    readonly state: { readonly verdict: 'ours' | 'other' | 'unknown'; readonly reason: string };
  };
  /** Whether all of the worker's work needs the store; otherwise it is ready without. */
  readonly needsStore: boolean;
  readonly model: string | null;
  /** Null: the worker has not announced itself yet. */
  readonly announced: { isListed(): Promise<boolean> } | null;
}

/**
 * Whether a worker takes work: it has loaded its model (before, it is null), reaches its dependencies, and is
 * listed as one. Should Redis lose its lease, it is listed again with the next renewal.
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
    if (!connected) return { ready: false, reason: 'Redis is not reachable' };
    return { ready: false, reason: mayUseStore ? 'the model is being loaded' : reason };
  }
  // Commands wait while the connection is down: then there is nothing to ask.
  const [store, listed] = await Promise.all([
    storeReport(dependencies),
    connected && announced !== null && announced.isListed(),
  ]);
  const { isRunning } = worker;
  const reaches = redis.status === 'ready' && (store === 'ok' || !needsStore);
  const ready = isRunning && reaches && listed && verdict !== 'other';
  return { ready, model, redis: redis.status, store, takesWork: isRunning, listed };
}

/** What a store may take to answer, in milliseconds: a probe waits three seconds for all of the report. */
const STORE_MS = 1_000;

/** `ok`, or what is wrong with the store. */
async function storeReport({ store, fleetStore }: Dependencies): Promise<string> {
  if (fleetStore.state.verdict === 'other') return fleetStore.state.reason;
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new Error(`The store does not answer within ${STORE_MS} ms`)),
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
