import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';

/** The tenant of a key, and how its rights differ from those of the tenant. */
export interface KeyGrant {
  readonly tenant: string;
  /** The most urgent priority that may be requested with it; absent: the tenant's. */
  readonly minPriority?: number;
}

export interface ApiKeyRecord extends KeyGrant {
  /** First characters of the digest: names the key without being it. */
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
}

const KEY_BYTES = 24;
const ID_CHARACTERS = 16;
/** How long a process that has just seen a revoked key may still accept it. */
const FRESH_MS = 2_000;
const MAX_REMEMBERED = 10_000;

/**
 * The keys that may ask. Redis holds their digests only: a key is shown once, when it is made. Keys of
 * 192 random bits need no slow hash.
 */
export class ApiKeys {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #fixed: ReadonlyMap<string, KeyGrant>;
  readonly #seen = new LRUCache<string, KeyGrant>({ max: MAX_REMEMBERED, ttl: FRESH_MS });

  /** `fixed` are `tenant:key` pairs of the configuration. */
  constructor(redis: Redis, prefix: string, fixed: readonly string[]) {
    this.#redis = redis;
    this.#key = `${prefix}:api-keys`;
    this.#fixed = new Map(
      fixed.map((pair) => [
        digest(pair.slice(pair.indexOf(':') + 1)),
        { tenant: pair.slice(0, pair.indexOf(':')) },
      ]),
    );
  }

  /** Null: no such key. */
  async grantOf(key: string): Promise<KeyGrant | null> {
    const sha256 = digest(key);
    const fixed = this.#fixed.get(sha256);
    if (fixed !== undefined) return fixed;
    const seen = this.#seen.get(sha256);
    if (seen !== undefined) return seen;
    const json = await this.#redis.hget(this.#key, sha256);
    if (json === null) return null;
    const record = JSON.parse(json) as ApiKeyRecord;
    this.#seen.set(sha256, record);
    return record;
  }

  /** Makes a key. It cannot be read again. */
  async create(grant: KeyGrant, name: string): Promise<{ key: string; record: ApiKeyRecord }> {
    const key = `epd_${randomBytes(KEY_BYTES).toString('hex')}`;
    const sha256 = digest(key);
    const id = `key_${sha256.slice(0, ID_CHARACTERS)}`;
    const record: ApiKeyRecord = { id, ...grant, name, createdAtMs: Date.now() };
    await this.#redis.hset(this.#key, sha256, JSON.stringify(record));
    return { key, record };
  }

  async list(): Promise<ApiKeyRecord[]> {
    const values = await this.#redis.hvals(this.#key);
    return values.map((json) => JSON.parse(json) as ApiKeyRecord);
  }

  /** False: there is no key with this id. */
  async revoke(id: string): Promise<boolean> {
    const all = await this.#redis.hgetall(this.#key);
    const found = Object.entries(all).find(
      ([, json]) => (JSON.parse(json) as ApiKeyRecord).id === id,
    );
    if (found === undefined) return false;
    this.#seen.delete(found[0]);
    return (await this.#redis.hdel(this.#key, found[0])) === 1;
  }
}

const digest = (key: string): string => createHash('sha256').update(key).digest('hex');
