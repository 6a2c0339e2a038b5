import type { Redis } from 'ioredis';

/** What a worker has not announced again for this long is taken to be gone. */
const TTL_MS = 6_000;
/** Three announcements fit into the TTL, so that one lost message hides nothing. */
const ANNOUNCE_MS = 2_000;

/**
 * Images that lie in some PD worker's KV cache, as a hint: a prompt that begins with one may need
 * neither its embedding nor an encode, so the API leaves asking to the worker, which alone can tell.
 * A wrong hint costs that worker one look at the store.
 */
export class ResidentImages {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async has(model: string, mmHash: string): Promise<boolean> {
    const until = await this.#redis.zscore(this.#key(model), mmHash);
    return until !== null && Number(until) > Date.now();
  }

  /** Announces what `read` gives now and then, until the returned function is called. */
  announce(model: string, read: () => readonly string[]): () => void {
    const timer = setInterval(() => {
      this.#write(model, read()).catch(() => undefined); // it is only a hint
    }, ANNOUNCE_MS);
    return () => clearInterval(timer);
  }

  async #write(model: string, hashes: readonly string[]): Promise<void> {
    const key = this.#key(model);
    const now = Date.now();
    const entries = hashes.flatMap((mmHash) => [now + TTL_MS, mmHash]);
    if (entries.length > 0) await this.#redis.zadd(key, ...entries);
    await this.#redis.zremrangebyscore(key, 0, now);
    await this.#redis.pexpire(key, TTL_MS);
  }

  #key(model: string): string {
    return `${this.#prefix}:resident:${model}`;
  }
}
