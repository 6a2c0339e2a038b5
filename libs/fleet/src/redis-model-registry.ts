import { keyName } from '@epd/connector';
import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import {
  ModelCard,
  type Announced,
  type ModelRegistry,
  type WorkerRole,
} from './model-registry.ts';

/** A worker that has not renewed for this long is taken for dead; four renewals fit into it. */
const LEASE_MS = 12_000;
const RENEW_MS = 3_000;

const cardSchema = Compile(ModelCard);

const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/**
 * KEYS leases cards; ARGV worker leaseMs model card announced. A card is written when its worker announces itself,
 * and again whenever it is gone: Redis may have lost it.
 */
const RENEW = `${NOW}
redis.call(ARGV[5] == '1' and 'HSET' or 'HSETNX', KEYS[2], ARGV[3], ARGV[4])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], 4 * ARGV[2])`;

/** KEYS leases. */
const COUNT = `${NOW}
return redis.call('ZCOUNT', KEYS[1], now, '+inf')`;

interface RegistryScripts extends Redis {
  leaseRenew(keys: number, ...rest: readonly (string | number)[]): Promise<null>;
  leaseCount(keys: number, leases: string): Promise<number>;
}

/**
 * `ModelRegistry` on Redis. The cards are a hash that stays; the leases are one sorted set per model
 * and role, scored by when they run out, in Redis's clock: a worker whose own is wrong would otherwise
 * strike out all the others.
 */
export class RedisModelRegistry implements ModelRegistry {
  readonly #redis: RegistryScripts;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    redis.defineCommand('leaseRenew', { lua: RENEW });
    redis.defineCommand('leaseCount', { lua: COUNT });
    this.#redis = redis as RegistryScripts;
    this.#prefix = prefix;
  }

  async announce(role: WorkerRole, worker: string, card: ModelCard): Promise<Announced> {
    const key = this.#leases(card.id, role);
    const json = JSON.stringify(card);
    const renew = async (announced: 0 | 1): Promise<void> => {
      await this.#redis.leaseRenew(2, key, this.#cards, worker, LEASE_MS, card.id, json, announced);
    };
    await renew(1);
    const timer = setInterval(() => void renew(0).catch(() => undefined), RENEW_MS); // the next renewal tries again
    return {
      isListed: async () => (await this.#redis.zscore(key, worker)) !== null,
      stop: async () => {
        clearInterval(timer);
        await this.#redis.zrem(key, worker);
      },
    };
  }

  async models(): Promise<ModelCard[]> {
    const cards = await this.#redis.hvals(this.#cards);
    return cards
      .map((json) => JSON.parse(json) as unknown)
      .filter((card) => cardSchema.Check(card));
  }

  async model(id: string): Promise<ModelCard | null> {
    const json = await this.#redis.hget(this.#cards, id);
    const card: unknown = json === null ? null : JSON.parse(json);
    return cardSchema.Check(card) ? card : null;
  }

  async workers(model: string): Promise<{ encoder: number; prefillDecode: number }> {
    const [encoder, prefillDecode] = await Promise.all([
      this.#redis.leaseCount(1, this.#leases(model, 'encoder')),
      this.#redis.leaseCount(1, this.#leases(model, 'prefill-decode')),
    ]);
    return { encoder, prefillDecode };
  }

  get #cards(): string {
    return `${this.#prefix}:models`;
  }

  #leases(model: string, role: WorkerRole): string {
    return `${this.#prefix}:workers:${keyName(model)}:${role}`;
  }
}
