import { randomUUID } from 'node:crypto';
import { ConnectorError, type ObjectStore } from '@epd/connector';
import type { Redis } from 'ioredis';

/** Where a store says whose it is. */
const MARKER = 'owner/inputs';

/** Another fleet's records refer to objects in the store: a fleet that does not know them must delete nothing. */
export class StoreNotOwnedError extends ConnectorError {
  override readonly name = 'StoreNotOwnedError';

  constructor(mark: string) {
    super(
      'store_not_owned',
      `The store is swept by another fleet, or this one's Redis was replaced: expected ${MARKER} to hold ${mark}. ` +
        'Give each fleet a bucket or folder of its own; if this one has, delete that object',
    );
  }
}

/**
 * Whose images and files a store holds. Keys in a store do not name the fleet, so the first fleet that
 * sweeps one writes a mark there, and keeps the same in its Redis; any other, and the same one after its
 * Redis was lost, finds that they differ.
 */
export class StoreOwner {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #store: ObjectStore;

  constructor(redis: Redis, prefix: string, store: ObjectStore) {
    this.#redis = redis;
    this.#key = `${prefix}:inputs:owner`;
    this.#store = store;
  }

  /** Throws `StoreNotOwnedError`. */
  async assertOurs(): Promise<void> {
    await this.#redis.set(this.#key, randomUUID(), 'NX');
    const ours = (await this.#redis.get(this.#key)) ?? '';
    await this.#store.put(MARKER, Buffer.from(ours), { onlyIfAbsent: true });
    const found = await this.#store.get(MARKER);
    if (found !== null && Buffer.from(found).toString() === ours) return;
    throw new StoreNotOwnedError(ours);
  }
}
