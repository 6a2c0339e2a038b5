import { setTimeout as sleep } from 'node:timers/promises';
import { checkKeys, documentedKeys } from './redis-keys.ts';
import type { ChaosProcess } from './world/chaos-process.ts';
import type { World } from './world/world.ts';

const EVERY_MS = 500;

/** Waits until nothing is held any more; returns what still is when the time is over. */
export async function findLeaks(world: World, withinMs: number): Promise<string[]> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const leaks = await leaksNow(world).catch((error: unknown) => [
      `cannot look: ${String(error)}`,
    ]);
    if (leaks.length === 0 || performance.now() > endMs) return leaks;
    await sleep(EVERY_MS);
  }
}

async function leaksNow(world: World): Promise<string[]> {
  const found = await Promise.all([redisLeaks(world), waiterLeaks(world), workerLeaks(world)]);
  return found.flat();
}

async function redisLeaks({ redis, prefix }: World): Promise<string[]> {
  const problems = await checkKeys(redis, prefix, documentedKeys());
  const waiting = await redis.hget(`${prefix}:admission`, 'total');
  return [
    ...problems.map(({ key, problem }) => `key ${key}: ${problem}`),
    ...(Number(waiting ?? 0) === 0
      ? []
      : [`admission: ${waiting} tokens of cost are never given back`]),
  ];
}

/**
 * Waiters and leases expire by themselves, minutes later: an ended job is to leave none behind. One that
 * was never accepted, for its API died before it wrote the record, leaves its own to expire.
 */
async function waiterLeaks({ redis, prefix }: World): Promise<string[]> {
  const leaks: string[] = [];
  for await (const batch of redis.scanStream({ match: `${prefix}:*`, count: 500, type: 'zset' })) {
    for (const key of batch as string[]) {
      if (!/:waiters$|:ec:\{usage\}:lease:/.test(key)) continue;
      for (const holder of await redis.zrange(key, '0', '-1')) {
        if (await redis.exists(`${prefix}:job:${holder}`)) leaks.push(`${key}: ${holder}`);
      }
    }
  }
  return leaks;
}

async function workerLeaks(world: World): Promise<string[]> {
  const perWorker = await Promise.all(world.named('pd').map((process) => leaksOf(process)));
  return perWorker.flat();
}

async function leaksOf({ name, spec }: ChaosProcess): Promise<string[]> {
  const base = spec.readyUrl?.replace(/\/readyz$/, '') ?? '';
  const { held } = (await (await fetch(`${base}/readyz`)).json()) as { held?: number };
  const metrics = await (await fetch(`${base}/metrics`)).text();
  const rows = metrics.matchAll(/^(epd_kv_slots_used|epd_sequences\{[^}]*\}) ([1-9]\d*)/gm);
  const leaks = Array.from(rows, ([, metric, value]) => `${name}: ${metric} is ${value}`);
  return held === 0 ? leaks : [`${name} holds ${held} jobs`, ...leaks];
}
