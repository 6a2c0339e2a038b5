import { ConnectorError, hashFields, redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Binds, or renews the binding; returns the content that the alias stands for. */
const bindScript = redisScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
local content = redis.call('GET', KEYS[1])
if content == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return content`);

/** A caller's uuid is bound to other content already. */
export class AliasConflictError extends ConnectorError {
  override readonly name = 'AliasConflictError';
  readonly uuid: string;

  constructor(uuid: string) {
    super('alias_conflict', `The uuid ${JSON.stringify(uuid)} is already bound to other content`);
    this.uuid = uuid;
  }
}

export interface UuidAliasesOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /** How long an alias outlives its last use. @default 7 days */
  readonly ttlMs?: number;
}

/**
 * A caller's own names for images. A name belongs to its tenant and refers to the content that it
 * was first sent with; it is looked up, and never becomes part of a key.
 */
export class UuidAliases {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #ttlMs: number;

  constructor(options: UuidAliasesOptions) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#ttlMs = options.ttlMs ?? 7 * DAY_MS;
  }

  /** Throws `AliasConflictError` when the name stands for other content already. */
  async bind(tenant: string, uuid: string, contentSha256: string): Promise<void> {
    const key = this.#key(tenant, uuid);
    const content = await bindScript(this.#redis, [key], [contentSha256, this.#ttlMs]);
    if (content !== contentSha256) throw new AliasConflictError(uuid);
  }

  /** The content's sha256, or null for a name that this tenant has not bound. Renews the binding. */
  async resolve(tenant: string, uuid: string): Promise<string | null> {
    return this.#redis.getex(this.#key(tenant, uuid), 'PX', this.#ttlMs);
  }

  #key(tenant: string, uuid: string): string {
    return `${this.#prefix}:alias:${hashFields('epd-fleet alias 1', [tenant, uuid])}`;
  }
}
