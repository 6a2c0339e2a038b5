import { setTimeout as sleep } from 'node:timers/promises';
import { redisScript, StoreUnavailableError } from '@epd/connector';
import type { Redis } from 'ioredis';

/** Longer than a delete takes with all its retries, so that none takes effect after its mark has expired. */
const DELETING_MS = 5 * 60_000;
/** A delete takes milliseconds; one that was broken off leaves its mark until that expires. */
const WAIT_MS = 5_000;
const LOOK_AGAIN_MS = 50;

/** A use is written down at most this often per image and process, far below any time to live. */
const TOUCH_EVERY_MS = 60_000;
/** Images whose last touch this process remembers. */
const MAX_REMEMBERED = 10_000;

/** KEYS used deleting; ARGV image. 0: it is being deleted. */
const touchScript = redisScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('ZADD', KEYS[1], now, ARGV[1])
return 1`);

/** KEYS used; ARGV image ... Enters those that are unknown, as if used now. */
const adoptScript = redisScript(`
local added = 0
for i = 1, #ARGV do added = added + redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i]) end
return added`);

/** KEYS used; ARGV image. */
const keepScript = redisScript(`return redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1])`);

/** KEYS used; ARGV milliseconds, limit. Returns images and for how long each was not used. */
const unusedScript = redisScript(`
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 2, #found, 2 do found[i] = now - found[i] end
return found`);

/** KEYS used deleting; ARGV image, milliseconds, mark's ttl. 1: the caller may delete it. */
const claimScript = redisScript(`
local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not used or tonumber(used) > now - ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return 1`);

export interface InputEntry {
  readonly sha256: string;
  readonly unusedMs: number;
}

/**
 * When each accepted image was last asked about. Unlike an embedding an image cannot be made again, so
 * nobody may find it in the store while it is being deleted: who is about to use one says so first
 * (`touch`), and who is about to delete one marks it, in one step with making sure that it was not used
 * meanwhile (`claim`). A touch waits while the mark is there. All times are Redis's.
 */
export class InputUsage {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #touchedAtMs = new Map<string, number>();

  constructor(options: { readonly redis: Redis; readonly prefix: string }) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
  }

  /** Call before the image is looked up or stored: from here on it stays for its time to live. */
  async touch(sha256: string): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - (this.#touchedAtMs.get(sha256) ?? -Infinity) < TOUCH_EVERY_MS) return;
    while ((await touchScript(this.#redis, this.#keys(sha256), [sha256])) === 0) {
      if (performance.now() - nowMs > WAIT_MS)
        throw new StoreUnavailableError('inputs', `${sha256} is being deleted`);
      await sleep(LOOK_AGAIN_MS);
    }
    if (this.#touchedAtMs.size >= MAX_REMEMBERED) this.#touchedAtMs.clear();
    this.#touchedAtMs.set(sha256, nowMs);
  }

  /** Images that were found in the store; known last uses stay. */
  async adopt(images: readonly string[]): Promise<void> {
    if (images.length > 0) await adoptScript(this.#redis, [this.#used], images);
  }

  /** Somebody refers to the image: that is a use too. */
  async keep(sha256: string): Promise<void> {
    await keepScript(this.#redis, [this.#used], [sha256]);
  }

  /** Up to `limit` that were not used for so long, the longest unused first. */
  async unused(forMs: number, limit: number): Promise<InputEntry[]> {
    const flat = (await unusedScript(this.#redis, [this.#used], [forMs, limit])) as unknown[];
    return Array.from({ length: flat.length / 2 }, (_, index) => ({
      sha256: String(flat[2 * index]),
      unusedMs: Number(flat[2 * index + 1]),
    }));
  }

  /** Gives the right to delete the image, unless it was used since. To be followed by `deleted`. */
  async claim(sha256: string, unusedForMs: number): Promise<boolean> {
    const args = [sha256, unusedForMs, DELETING_MS];
    return (await claimScript(this.#redis, this.#keys(sha256), args)) === 1;
  }

  /** The claimed image is deleted for certain. */
  async deleted(sha256: string): Promise<void> {
    await this.#redis.del(this.#deleting(sha256));
  }

  get #used(): string {
    return `${this.#prefix}:inputs:used`;
  }

  #deleting(sha256: string): string {
    return `${this.#prefix}:inputs:deleting:${sha256}`;
  }

  #keys(sha256: string): string[] {
    return [this.#used, this.#deleting(sha256)];
  }
}
