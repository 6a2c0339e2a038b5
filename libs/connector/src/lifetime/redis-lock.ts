import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { redisScript } from '../redis-script.ts';

/** ARGV: token, ttl. Takes the lock or renews it for its holder. */
const holdScript = redisScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

/** ARGV: token. */
const freeScript = redisScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`);

/** One holder at a time, which must renew it; late actions of a holder must be harmless. */
export class RedisLock {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #ttlMs: number;
  readonly #token: string;

  constructor(options: {
    readonly redis: Redis;
    readonly key: string;
    readonly ttlMs: number;
    /**
     * The value of the key while this process holds the lock; scripts can compare it. @default a
     * random one
     */
    readonly token?: string;
  }) {
    this.#redis = options.redis;
    this.#key = options.key;
    this.#ttlMs = options.ttlMs;
    this.#token = options.token ?? randomUUID();
  }

  /** Takes or renews. False: another holds it. */
  async hold(): Promise<boolean> {
    return (await holdScript(this.#redis, [this.#key], [this.#token, this.#ttlMs])) === 1;
  }

  async free(): Promise<void> {
    await freeScript(this.#redis, [this.#key], [this.#token]);
  }
}
