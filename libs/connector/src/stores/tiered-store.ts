import type { ObjectBody } from './object-body.ts';
import type {
  ByteRange,
  GetOptions,
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutOptions,
  PutResult,
} from './object-store.ts';

export interface Tier {
  /** Shown in metrics and in job timings. */
  readonly name: string;
  readonly store: ObjectStore;
}

/** A read with the tier it came from. */
export interface TieredRead {
  readonly body: Uint8Array;
  readonly tier: string;
}

/** Maximum concurrent background fills; above that a read fills no cache. */
const MAX_PENDING_FILLS = 16;

/**
 * Several stores as one, nearest first. The last is the durable store: a put is durable when that
 * one has it. The others are caches, each with its own bound: they are filled on reads and on
 * writes, and their failures only make reads slower.
 */
export class TieredStore implements ObjectStore {
  readonly #caches: readonly Tier[];
  readonly #durable: Tier;
  readonly #onCacheError: (tier: string, error: unknown) => void;
  readonly #fills = new Map<string, Promise<void>>();

  constructor(
    tiers: readonly Tier[],
    options: { readonly onCacheError?: (tier: string, error: unknown) => void } = {},
  ) {
    const durable = tiers.at(-1);
    if (!durable) throw new TypeError('A tiered store needs at least one tier');
    this.#durable = durable;
    this.#caches = tiers.slice(0, -1);
    this.#onCacheError = options.onCacheError ?? (() => {});
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    const result = await this.#durable.store.put(key, body, options);
    // With `created` false, the stored bytes may differ from these.
    if (result.created) await this.#fill(this.#caches, key, body);
    return result;
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array | null> {
    return (await this.getFrom(key, options))?.body ?? null;
  }

  /** Like `get`, and reports the tier that had it. Nearer tiers are filled in the background. */
  async getFrom(key: string, options: GetOptions = {}): Promise<TieredRead | null> {
    for (const [index, tier] of this.#caches.entries()) {
      const body = await this.#tolerate(tier, () => tier.store.get(key, options));
      options.signal?.throwIfAborted();
      if (!body) continue;
      this.#fillLater(this.#caches.slice(0, index), key, body);
      return { body, tier: tier.name };
    }
    const body = await this.#durable.store.get(key, options);
    if (!body) return null;
    this.#fillLater(this.#caches, key, body);
    return { body, tier: this.#durable.name };
  }

  /**
   * Removes the key from a cache whose copy is bad; the durable store's copy may be intact. False
   * when that tier is the durable store, where this does nothing.
   */
  async dropFromCache(key: string, tierName: string): Promise<boolean> {
    await this.#fills.get(key);
    const caches = this.#caches.filter(({ name }) => name === tierName);
    for (const tier of caches) await this.#tolerate(tier, () => tier.store.delete(key));
    return caches.length > 0;
  }

  /** From the durable store: caches are filled with whole objects. */
  getRange(key: string, range: ByteRange): Promise<Uint8Array | null> {
    return this.#durable.store.getRange(key, range);
  }

  /** From the durable store: a cache's copy is usable by this process only; see `isCached`. */
  stat(key: string): Promise<ObjectStat | null> {
    return this.#durable.store.stat(key);
  }

  /** Whether a cache of this process has the key, regardless of the durable store. */
  async isCached(key: string): Promise<boolean> {
    for (const tier of this.#caches) {
      if (await this.#tolerate(tier, () => tier.store.stat(key))) return true;
    }
    return false;
  }

  async delete(key: string): Promise<void> {
    await this.#fills.get(key);
    for (const tier of this.#caches) await this.#tolerate(tier, () => tier.store.delete(key));
    await this.#durable.store.delete(key);
  }

  /** Objects of the durable store. */
  list(prefix: string): AsyncIterable<ListedObject> {
    return this.#durable.store.list(prefix);
  }

  async ping(): Promise<void> {
    for (const tier of this.#caches) await this.#tolerate(tier, () => tier.store.ping());
    await this.#durable.store.ping();
  }

  async close(): Promise<void> {
    await Promise.all(this.#fills.values());
    for (const { store } of [...this.#caches, this.#durable]) await store.close();
  }

  async removeLeftovers(olderThanMs: number): Promise<number> {
    return (await this.#durable.store.removeLeftovers?.(olderThanMs)) ?? 0;
  }

  #fillLater(tiers: readonly Tier[], key: string, body: ObjectBody): void {
    if (tiers.length === 0 || this.#fills.has(key) || this.#fills.size >= MAX_PENDING_FILLS) return;
    const fill = this.#fill(tiers, key, body).finally(() => this.#fills.delete(key));
    this.#fills.set(key, fill);
  }

  async #fill(tiers: readonly Tier[], key: string, body: ObjectBody): Promise<void> {
    for (const tier of tiers) await this.#tolerate(tier, () => tier.store.put(key, body));
  }

  async #tolerate<T>(tier: Tier, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.#onCacheError(tier.name, error);
      return null;
    }
  }
}
