import { keyName, redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

/** What a worker has not announced again for this long is taken to be gone. */
const TTL_MS = 6_000;
/** Three announcements fit into the TTL, so that one lost message hides nothing. */
const ANNOUNCE_MS = 2_000;

/** KEYS images; ARGV ttl, image ... Enters them until so long from now, and strikes out what has run out. */
const announceScript = redisScript(`
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[1])`);

/** KEYS images; ARGV image. */
const residentScript = redisScript(`
local ends = redis.call('ZSCORE', KEYS[1], ARGV[1])
return ends and tonumber(ends) > now and 1 or 0`);

/**
 * Images that lie in some PD worker's KV cache, as a hint: a prompt that begins with one may need
 * neither its embedding nor an encode, so the API leaves asking to the worker, which alone can tell.
 * A wrong hint costs that worker one look at the store. Scored by when they run out, in Redis's clock: a
 * worker whose own is wrong would strike out what others announced.
 */
export class ResidentImages {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async has(model: string, mmHash: string): Promise<boolean> {
    return (await residentScript(this.#redis, [this.#key(model)], [mmHash])) === 1;
  }

  /** Announces what `read` gives now and then, until the returned function is called. */
  announce(model: string, read: () => readonly string[]): () => void {
    const timer = setInterval(() => {
      this.#write(model, read()).catch(() => undefined); // it is only a hint
    }, ANNOUNCE_MS);
    return () => clearInterval(timer);
  }

  async #write(model: string, hashes: readonly string[]): Promise<void> {
    await announceScript(this.#redis, [this.#key(model)], [TTL_MS, ...hashes]);
  }

  #key(model: string): string {
    return `${this.#prefix}:resident:${keyName(model)}`;
  }
}
