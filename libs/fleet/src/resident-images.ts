import { keyName, redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

/** An image that a worker has not announced again for this long counts as gone. */
const TTL_MS = 6_000;
/** Three announcements per TTL, so that one lost message hides nothing. */
const ANNOUNCE_MS = 2_000;

/** KEYS images; ARGV ttl, image ... Adds them with the ttl, and removes expired ones. */
const announceScript = redisScript(`
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[1])`);

/**
 * Images in some PD worker's KV cache, as a hint: a prompt with such a cached prefix may need
 * neither the embedding nor an encode, so the API leaves the request for an encode to the worker,
 * which alone can decide. A wrong hint costs that worker one check of the store. Scored by expiry
 * in Redis's clock: a worker with a wrong clock would remove what others announced.
 */
export class ResidentImages {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Key of a model's images, a sorted set by when they expire: for scripts that ask about one. */
  key(model: string): string {
    return `${this.#prefix}:resident:${keyName(model)}`;
  }

  /** Announces the result of `read` periodically, until the returned function is called. */
  announce(model: string, read: () => readonly string[]): () => void {
    const timer = setInterval(() => {
      this.#write(model, read()).catch(() => undefined); // it is only a hint
    }, ANNOUNCE_MS);
    return () => clearInterval(timer);
  }

  async #write(model: string, hashes: readonly string[]): Promise<void> {
    await announceScript(this.#redis, [this.key(model)], [TTL_MS, ...hashes]);
  }
}
