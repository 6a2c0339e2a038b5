import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';
import { batchKeys } from './batch-keys.ts';

/**
 * KEYS record lock; ARGV owner, ms. Returns 0: it is another's, or its record has expired; or the number of
 * processes that took it since one of them was seen to work at it. A process that takes it again, after it was held
 * up for longer than the lock lasts, is the same process.
 */
const takeScript = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'attempts', 1)
end
return math.max(1, tonumber(redis.call('HGET', KEYS[1], 'attempts')))`);

/** KEYS locks; ARGV owner, ms. */
const renewScript = redisScript(`
for _, lock in ipairs(KEYS) do
  if redis.call('GET', lock) == ARGV[1] then redis.call('PEXPIRE', lock, ARGV[2]) end
end`);

/** KEYS lock; ARGV owner. */
const releaseScript = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`);

/** KEYS record. */
const worksScript = redisScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'attempts', 0) end`);

/** Which process runs a batch, one at a time, and how many of them died while they did. */
export class BatchLocks {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #owner: string;
  readonly #ms: number;

  /** `owner` names this process; a lock that is not renewed expires after `ms`. */
  constructor(redis: Redis, prefix: string, { owner, ms }: { owner: string; ms: number }) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#owner = owner;
    this.#ms = ms;
  }

  /** Takes the lock or renews it. 0: it is another's; else which process this one is that tries, from 1. */
  async take(id: string): Promise<number> {
    const { record, lock } = batchKeys(this.#prefix, id);
    return Number(await takeScript(this.#redis, [record, lock], [this.#owner, this.#ms]));
  }

  /** Renews all locks of this process in one round trip; lost ones are left alone. */
  async renew(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const locks = ids.map((id) => batchKeys(this.#prefix, id).lock);
    await renewScript(this.#redis, locks, [this.#owner, this.#ms]);
  }

  /** Another process may take it at once. */
  async release(id: string): Promise<void> {
    await releaseScript(this.#redis, [batchKeys(this.#prefix, id).lock], [this.#owner]);
  }

  /** It can be worked at: no process has died of it. */
  async works(id: string): Promise<void> {
    await worksScript(this.#redis, [batchKeys(this.#prefix, id).record], []);
  }
}
