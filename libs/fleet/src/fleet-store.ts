import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisScript, type ObjectStore } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ensureStoreId, restoreStoreId } from './store-identity.ts';

/**
 * `ours`: the fleet's; `other`: not the one that the fleet uses; `unknown`: it, or Redis, does not
 * respond.
 */
export type StoreVerdict = 'ours' | 'other' | 'unknown';

export interface StoreState {
  readonly verdict: StoreVerdict;
  /** Why it is not `ours`; empty if it is. */
  readonly reason: string;
}

export interface FleetStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: Pick<ObjectStore, 'get' | 'put'>;
  /** Name of the store in messages, for operators. No secrets. */
  readonly name: string;
  /**
   * Whether equal names mean the same store, as with buckets; a folder path may be a different
   * folder on each host. If so, processes that find the store without an id agree on one through
   * Redis.
   */
  readonly isNameUnique?: boolean;
  /** Called on every change. */
  readonly onChange?: (state: StoreState) => void;
}

/**
 * Lease of the fleet's choice: after the last process stopped renewing it, another store may be
 * chosen.
 */
const LEASE_MS = 60_000;
/** Four checks per lease. */
const LOOK_EVERY_MS = 15_000;
/** Until the first result. */
const LOOK_AGAIN_MS = 1_000;

/**
 * KEYS: the fleet's store. ARGV: id of ours, its name, lease. Returns the fleet's id, which is ours
 * if none was set.
 */
const claimScript = redisScript(`
local fleet = redis.call('HMGET', KEYS[1], 'id', 'name')
if fleet[1] and fleet[1] ~= ARGV[1] then return fleet end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'name', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {ARGV[1], ARGV[2]}`);

/** Redis key of the fleet's store. */
export const fleetStoreKey = (prefix: string): string => `${prefix}:store`;

/** Redis key of the id that processes agreed on for a store of this name without an id. */
const proposedIdKey = (prefix: string, name: string): string =>
  `${prefix}:store-id:${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;

/**
 * Whether this process uses the store that its fleet uses. Every store has an id of its own, in an object;
 * Redis holds the id of the fleet's while any of its processes renews it. Two processes of one
 * fleet on two stores would not find each other's images, although each of them looks healthy.
 *
 *   unknown ──answers──▶ ours ⇄ unknown (an outage)
 *      └──────answers──▶ other ──the fleet moves──▶ ours
 */
export class FleetStore {
  readonly #options: FleetStoreOptions;
  #state: StoreState = { verdict: 'unknown', reason: 'the store was not checked yet' };
  /** The id that it had when it was ours; it keeps the id, even if it is emptied. */
  #confirmed: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<StoreState> | null = null;

  constructor(options: FleetStoreOptions) {
    this.#options = options;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Checks periodically until `stop`. */
  start(): void {
    this.#timer ??= setInterval(() => void this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Resolves once the verdict is one of these. Throws the reason of an abort. */
  async until(verdicts: readonly StoreVerdict[], signal: AbortSignal): Promise<void> {
    for (;;) {
      const { verdict } = await this.look();
      if (verdicts.includes(verdict)) return;
      await sleep(LOOK_AGAIN_MS, undefined, { signal });
    }
  }

  /** Never throws: an error becomes the state's reason. */
  look(): Promise<StoreState> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(): Promise<StoreState> {
    const state = await this.#judge().catch((error: unknown): StoreState => {
      return { verdict: 'unknown', reason: error instanceof Error ? error.message : String(error) };
    });
    const changed = state.verdict !== this.#state.verdict || state.reason !== this.#state.reason;
    this.#state = state;
    if (changed) this.#options.onChange?.(state);
    return state;
  }

  async #judge(): Promise<StoreState> {
    const { redis, prefix, name } = this.#options;
    const id = await this.#id();
    const answer = await claimScript(redis, [fleetStoreKey(prefix)], [id, name, LEASE_MS]);
    const [fleetId, fleetName] = answer as [string, string];
    if (fleetId !== id) return { verdict: 'other', reason: otherStore(name, fleetName) };
    this.#confirmed = id;
    return { verdict: 'ours', reason: '' };
  }

  async #id(): Promise<string> {
    const { store, isNameUnique } = this.#options;
    const id = await ensureStoreId(store, isNameUnique ? () => this.#proposedId() : undefined);
    if (this.#confirmed === null || id === this.#confirmed) return id;
    await restoreStoreId(store, this.#confirmed);
    return this.#confirmed;
  }

  async #proposedId(): Promise<string> {
    const { redis, prefix, name } = this.#options;
    const key = proposedIdKey(prefix, name);
    const own = randomUUID();
    await redis.set(key, own, 'PX', LEASE_MS, 'NX');
    return (await redis.get(key)) ?? own;
  }
}

const otherStore = (name: string, fleetName: string): string =>
  `this process uses ${name}, which is not the store of its fleet, ${fleetName}: ` +
  'images and embeddings would not be found. Give every process that shares EPD_REDIS_URL and EPD_PREFIX the same store';
