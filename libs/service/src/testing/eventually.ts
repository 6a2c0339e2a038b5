import { setTimeout as sleep } from 'node:timers/promises';

type Met<T> = Exclude<T, false | null | undefined>;

/**
 * Calls `probe` until it gives something other than false, null or undefined, and returns that.
 * A probe that throws counts as not yet; its last error is the cause of the failure.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  {
    withinMs = 30_000,
    everyMs = 20,
  }: { readonly withinMs?: number; readonly everyMs?: number } = {},
): Promise<Met<T>> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const attempt = await tryOnce(probe);
    if (attempt.met) return attempt.value;
    if (performance.now() >= endMs) {
      throw new Error(`Not within ${withinMs} ms: ${probe.toString()}`, { cause: attempt.error });
    }
    await sleep(everyMs);
  }
}

async function tryOnce<T>(
  probe: () => T | Promise<T>,
): Promise<{ met: true; value: Met<T> } | { met: false; error?: unknown }> {
  try {
    const value = await probe();
    return isMet(value) ? { met: true, value } : { met: false };
  } catch (error) {
    return { met: false, error };
  }
}

function isMet<T>(value: T): value is Met<T> {
  return value !== false && value !== null && value !== undefined;
}
