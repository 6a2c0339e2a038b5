import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

/**
 * The generic cell rate algorithm: one number a bucket, the time at which it would be full again.
 * KEYS bucket; ARGV limit, windowMs, cost, 'look' to take nothing. Returns allowed, remaining, ms until full, ms
 * until allowed.
 */
const take = redisScript(`
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local interval = window / limit
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local after = full + math.min(cost, limit) * interval
if after - window > now then
  return { 0, math.floor((window - (full - now)) / interval), full - now, math.ceil(after - window - now) }
end
if ARGV[4] ~= 'look' then
  redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil(after - now) + 1000)
end
return { 1, math.floor((window - (after - now)) / interval), math.ceil(after - now), 0 }`);

/** Returns tokens to the bucket that were not used. KEYS bucket; ARGV limit, windowMs, cost. */
const giveBack = redisScript(`
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1]) or '0') - math.min(cost, limit) * window / limit
if full <= now then return redis.call('DEL', KEYS[1]) end
return redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil(full - now) + 1000)`);

type Kind = 'requests' | 'tokens';

export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** Until the bucket is full again. */
  readonly resetMs: number;
  /** Until this cost would be allowed. */
  readonly retryMs: number;
}

export const WINDOW_MS = 60_000;

/** Budgets a minute, refilled all the time, shared by every replica. */
export class RateLimiter {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** A cost above the whole limit counts as the limit: it passes when the bucket is full. */
  async take(tenant: string, kind: Kind, limit: number, cost: number): Promise<RateDecision> {
    return this.#ask(tenant, kind, [limit, WINDOW_MS, cost]);
  }

  /** What `take` would say now; takes nothing. */
  async look(tenant: string, kind: Kind, limit: number, cost: number): Promise<RateDecision> {
    return this.#ask(tenant, kind, [limit, WINDOW_MS, cost, 'look']);
  }

  async #ask(
    tenant: string,
    kind: Kind,
    args: readonly [limit: number, ...(string | number)[]],
  ): Promise<RateDecision> {
    const [limit] = args;
    const answer = await take(this.#redis, [this.#key(kind, tenant)], args);
    const [allowed = 0, remaining = 0, resetMs = 0, retryMs = 0] = answer as number[];
    return { allowed: allowed === 1, limit, remaining, resetMs, retryMs };
  }

  /** Puts a cost back that `take` allowed. */
  async giveBack(tenant: string, kind: Kind, limit: number, cost: number): Promise<void> {
    await giveBack(this.#redis, [this.#key(kind, tenant)], [limit, WINDOW_MS, cost]);
  }

  #key(kind: Kind, tenant: string): string {
    return `${this.#prefix}:rate:${kind}:${tenant}`;
  }
}
