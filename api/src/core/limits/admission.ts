import { redisScript, serverTimeMs } from '@epd/connector';
import { jobKeys } from '@epd/jobs';
import type { Redis } from 'ioredis';

/**
 * What jobs that have not ended cost: a hash with `total`, `tenant:<id>`, `count`, what has ended since
 * the fleet began (`endedCost`, `endedCount`), and `job:<id>` as `cost tenant sinceMs`, by
 * Redis's clock. All in one key, so that every change is one script. A job counts once, also when its
 * reservation is sent again because the reply was lost: what is taken twice and given back once would never
 * be free again.
 */
const reserveScript = redisScript(`
local job, own = 'job:' .. ARGV[1], 'tenant:' .. ARGV[2]
local held = redis.call('HMGET', KEYS[1], 'total', own, 'count', job)
local total, mine, count = tonumber(held[1] or '0'), tonumber(held[2] or '0'), tonumber(held[3] or '0')
if held[4] then return { 'reserved', total } end
local cost, most, mostOwn = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if most > 0 and total > 0 and total + cost > most then return { 'total', total } end
if mostOwn > 0 and mine > 0 and mine + cost > mostOwn then return { 'tenant', mine } end
redis.call('HSET', KEYS[1], 'total', total + cost, own, mine + cost, 'count', count + 1,
  job, ARGV[3] .. ' ' .. ARGV[2] .. ' ' .. now)
return { 'reserved', total + cost }`);

const releaseScript = redisScript(`
local held = redis.call('HGET', KEYS[1], 'job:' .. ARGV[1])
if not held then return 0 end
local cost, tenant = string.match(held, '^(%d+) (%S+)')
redis.call('HDEL', KEYS[1], 'job:' .. ARGV[1])
redis.call('HINCRBY', KEYS[1], 'total', -cost)
redis.call('HINCRBY', KEYS[1], 'count', -1)
if redis.call('HINCRBY', KEYS[1], 'tenant:' .. tenant, -cost) == 0 then
  redis.call('HDEL', KEYS[1], 'tenant:' .. tenant)
end
if ARGV[2] == '1' then
  redis.call('HINCRBY', KEYS[1], 'endedCost', cost)
  redis.call('HINCRBY', KEYS[1], 'endedCount', 1)
end
return 1`);

export type Reservation =
  | { readonly outcome: 'reserved' }
  /** Whose bound is reached, and what is waiting under it. */
  | { readonly outcome: 'total' | 'tenant'; readonly waiting: number };

export interface WaitingWork {
  readonly total: number;
  readonly count: number;
  readonly endedCost: number;
  readonly endedCount: number;
}

export const admissionKey = (prefix: string): string => `${prefix}:admission`;

/** Long enough for a job to be written after its cost was reserved. */
const GRACE_MS = 15_000;

/** The account of work that was let in and has not ended, kept in Redis for all replicas. */
export class Admission {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #live: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#key = admissionKey(prefix);
    this.#live = jobKeys(prefix).live;
  }

  /** A job larger than a whole bound passes when nothing else waits: it would never pass otherwise. */
  async reserve(
    id: string,
    tenant: string,
    cost: number,
    most: { readonly total: number; readonly tenant: number },
  ): Promise<Reservation> {
    const args = [id, tenant, cost, most.total, most.tenant];
    const [outcome, waiting] = (await reserveScript(this.#redis, [this.#key], args)) as [
      'reserved' | 'total' | 'tenant',
      number,
    ];
    return outcome === 'reserved' ? { outcome } : { outcome, waiting };
  }

  /** What is there while the job's reservation is; see `NewJob.reservation`. */
  reservationOf(id: string): { readonly key: string; readonly field: string } {
    return { key: this.#key, field: `job:${id}` };
  }

  /** Safe to call for any job, any number of times, by anybody. */
  async release(id: string, { ended }: { readonly ended: boolean }): Promise<void> {
    await releaseScript(this.#redis, [this.#key], [id, ended ? '1' : '0']);
  }

  async waiting(): Promise<WaitingWork> {
    const fields = ['total', 'count', 'endedCost', 'endedCount'] as const;
    const [total, count, endedCost, endedCount] = await this.#redis.hmget(this.#key, ...fields);
    return {
      total: Number(total ?? 0),
      count: Number(count ?? 0),
      endedCost: Number(endedCost ?? 0),
      endedCount: Number(endedCount ?? 0),
    };
  }

  /** Lets go of what jobs hold whose ending nobody heard of. Returns how many. */
  async sweep(): Promise<number> {
    const oldMs = (await serverTimeMs(this.#redis)) - GRACE_MS;
    let swept = 0;
    let cursor = '0';
    do {
      const [next, pairs] = await this.#redis.hscan(
        this.#key,
        cursor,
        'MATCH',
        'job:*',
        'COUNT',
        200,
      );
      for (let at = 0; at < pairs.length; at += 2) {
        const id = (pairs[at] ?? '').slice('job:'.length);
        if (await this.#sweepOne(id, pairs[at + 1] ?? '', oldMs)) swept += 1;
      }
      cursor = next;
    } while (cursor !== '0');
    return swept;
  }

  async #sweepOne(id: string, held: string, oldMs: number): Promise<boolean> {
    const sinceMs = Number(held.split(' ')[2]);
    if (sinceMs > oldMs) return false;
    if ((await this.#redis.zscore(this.#live, id)) !== null) return false;
    await this.release(id, { ended: true });
    return true;
  }
}
