import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisScript, type ObjectStore } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ensureStoreId, restoreStoreId } from './store-identity.ts';

/** `ours`: the fleet's; `other`: not the one that the fleet uses; `unknown`: it, or Redis, does not answer. */
export type StoreVerdict = 'ours' | 'other' | 'unknown';

export interface StoreState {
  readonly verdict: StoreVerdict;
  /** Why it is not `ours`; empty when it is. */
  readonly reason: string;
}

export interface FleetStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: Pick<ObjectStore, 'get' | 'put'>;
  /** What this process calls the store, for whoever has to find the mistake. No secrets. */
  readonly name: string;
  /**
   * Whether equal names mean the same store, as with buckets; a folder of one path may be another one on each
   * host. Processes that meet such a store new then propose one id for it, by way of Redis.
   */
  readonly isNameUnique?: boolean;
  /** Called with every change. */
  readonly onChange?: (state: StoreState) => void;
}

/** How long the fleet's choice outlives the last process that renews it: then another store may be taken. */
const LEASE_MS = 60_000;
/** Four looks fit into a lease. */
const LOOK_EVERY_MS = 15_000;
/** Until the first answer. */
const LOOK_AGAIN_MS = 1_000;

/**
 * KEYS: the fleet's store. ARGV: id of ours, its name, lease. Answers with the fleet's, which is ours when
 * nobody has said otherwise.
 */
const claimScript = redisScript(`
local fleet = redis.call('HMGET', KEYS[1], 'id', 'name')
if fleet[1] and fleet[1] ~= ARGV[1] then return fleet end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'name', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {ARGV[1], ARGV[2]}`);

/** Where Redis says which store the fleet uses. */
export const fleetStoreKey = (prefix: string): string => `${prefix}:store`;

/** The id that processes propose for a store of this name which has none yet. */
const proposedIdKey = (prefix: string, name: string): string =>
  `${prefix}:store-id:${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;

/**
 * Whether this process uses the store that its fleet uses. Every store has an id of its own, in an object;
 * Redis holds the id of the fleet's while any of its processes renews it. Two processes of one fleet on two
 * stores would lose each other's images, each of them in good health.
 *
 *   unknown ──answers──▶ ours ⇄ unknown (an outage)
 *      └──────answers──▶ other ──the fleet moves──▶ ours
 */
export class FleetStore {
  readonly #options: FleetStoreOptions;
  #state: StoreState = { verdict: 'unknown', reason: 'the store was not asked yet' };
  /** The id that it had when it was ours; it keeps it, even if it is emptied. */
  #confirmed: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<StoreState> | null = null;

  constructor(options: FleetStoreOptions) {
    this.#options = options;
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Looks now and then until `stop`. */
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

  /** Never throws: what goes wrong is the state's reason. */
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
