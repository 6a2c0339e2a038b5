import type { Redis } from 'ioredis';
import type { JobKeys } from './job-keys.ts';

/** Entries removed per round trip: a few milliseconds of the server's time. */
const CHUNK = 500;

/** Drops index entries of jobs whose record had expired at `nowMs`, up to about `limit` of them. */
export async function pruneExpired(
  redis: Redis,
  keys: JobKeys,
  nowMs: number,
  limit: number,
): Promise<void> {
  for (let pruned = 0; pruned < limit; pruned += CHUNK) {
    const due = await redis.zrangebyscore(keys.retained, 0, nowMs, 'LIMIT', 0, CHUNK);
    if (due.length === 0) return;
    for (const [tenant, ids] of byTenant(due)) await redis.zrem(keys.index(tenant), ...ids);
    await redis.zrem(keys.retained, ...due);
    if (due.length < CHUNK) return;
  }
}

/** Entries are `tenant id`. */
function byTenant(entries: readonly string[]): Map<string, string[]> {
  const tenants = new Map<string, string[]>();
  for (const entry of entries) {
    const space = entry.lastIndexOf(' ');
    const tenant = entry.slice(0, space);
    const ids = tenants.get(tenant);
    if (ids === undefined) tenants.set(tenant, [entry.slice(space + 1)]);
    else ids.push(entry.slice(space + 1));
  }
  return tenants;
}
