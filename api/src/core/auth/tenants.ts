import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { Tenant, TenantLimits } from './tenant.ts';

/** What an operator sets for a tenant; missing members are as configured for all. */
export interface TenantSettings extends Partial<TenantLimits> {
  /** Whether its embeddings are shared with the other tenants that share. */
  readonly shareEmbeddings?: boolean;
  /** In place of those that are configured for all. */
  readonly webhookHosts?: readonly string[];
}

/** What is configured for all. */
export type TenantDefaults = Pick<Tenant, 'limits' | 'webhookHosts'>;

/** How long a process may still go by settings that another has changed. */
const FRESH_MS = 2_000;
const MAX_REMEMBERED = 10_000;

/** Settings of tenants in Redis, so that every replica has the same. */
export class Tenants {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #defaults: TenantDefaults;
  readonly #seen = new LRUCache<string, Tenant>({ max: MAX_REMEMBERED, ttl: FRESH_MS });

  constructor(redis: Redis, prefix: string, defaults: TenantDefaults) {
    this.#redis = redis;
    this.#key = `${prefix}:tenants`;
    this.#defaults = defaults;
  }

  /** A tenant is defined by its keys; it need not have settings. */
  async get(id: string): Promise<Tenant> {
    const seen = this.#seen.get(id);
    if (seen !== undefined) return seen;
    const tenant = this.#toTenant(id, await this.settings(id));
    this.#seen.set(id, tenant);
    return tenant;
  }

  async settings(id: string): Promise<TenantSettings> {
    const json = await this.#redis.hget(this.#key, id);
    return json === null ? {} : (JSON.parse(json) as TenantSettings);
  }

  async set(id: string, settings: TenantSettings): Promise<void> {
    await this.#redis.hset(this.#key, id, JSON.stringify(settings));
    this.#seen.delete(id);
  }

  async list(): Promise<Record<string, TenantSettings>> {
    const all = await this.#redis.hgetall(this.#key);
    return Object.fromEntries(
      Object.entries(all).map(([id, json]) => [id, JSON.parse(json) as TenantSettings]),
    );
  }

  #toTenant(id: string, settings: TenantSettings): Tenant {
    const { shareEmbeddings, webhookHosts = this.#defaults.webhookHosts, ...limits } = settings;
    const embeddingScope = shareEmbeddings === true ? '' : id;
    return { id, embeddingScope, webhookHosts, limits: { ...this.#defaults.limits, ...limits } };
  }
}
