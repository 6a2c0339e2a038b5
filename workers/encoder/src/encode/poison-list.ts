import { ItemError } from '@epd/connector';
import type { Redis } from 'ioredis';
import { Value } from 'typebox/value';

/** Long enough that a client's retries do not take the fleet down again, short enough for a fixed one. */
const REMEMBERED_MS = 3_600_000;

/** Images that have brought encoders down: not tried again for an hour, by any encoder. */
export class PoisonList {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async add(mmHash: string, error: ItemError): Promise<void> {
    await this.#redis.set(this.#key(mmHash), JSON.stringify(error), 'PX', REMEMBERED_MS);
  }

  /** Why the image is not to be tried, or null. */
  async find(mmHash: string): Promise<ItemError | null> {
    const json = await this.#redis.get(this.#key(mmHash));
    const error: unknown = json === null ? null : JSON.parse(json);
    return Value.Check(ItemError, error) ? error : null;
  }

  #key(mmHash: string): string {
    return `${this.#prefix}:poison:${mmHash}`;
  }
}
