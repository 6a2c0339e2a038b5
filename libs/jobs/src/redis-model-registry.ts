import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import { ModelCard, type ModelRegistry, type WorkerRole } from './model-registry.ts';

/** A worker that has not renewed for this long is taken for dead; four renewals fit into it. */
const LEASE_MS = 12_000;
const RENEW_MS = 3_000;

const cardSchema = Compile(ModelCard);

/**
 * `ModelRegistry` on Redis. The cards are a hash that stays; the leases are one sorted set per model
 * and role, scored by when they run out in this process's clock.
 */
export class RedisModelRegistry implements ModelRegistry {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async announce(
    role: WorkerRole,
    worker: string,
    card: ModelCard,
  ): Promise<{ stop(): Promise<void> }> {
    const key = this.#leases(card.id, role);
    await this.#redis.hset(this.#cards, card.id, JSON.stringify(card));
    const renew = async (): Promise<void> => {
      await this.#redis.zadd(key, Date.now() + LEASE_MS, worker);
      await this.#redis.zremrangebyscore(key, 0, Date.now() - LEASE_MS);
      await this.#redis.pexpire(key, 4 * LEASE_MS);
    };
    await renew();
    const timer = setInterval(() => void renew().catch(() => undefined), RENEW_MS); // the next renewal tries again
    return {
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
    const now = Date.now();
    const [encoder, prefillDecode] = await Promise.all([
      this.#redis.zcount(this.#leases(model, 'encoder'), now, '+inf'),
      this.#redis.zcount(this.#leases(model, 'prefill-decode'), now, '+inf'),
    ]);
    return { encoder, prefillDecode };
  }

  get #cards(): string {
    return `${this.#prefix}:models`;
  }

  #leases(model: string, role: WorkerRole): string {
    return `${this.#prefix}:workers:${model}:${role}`;
  }
}
