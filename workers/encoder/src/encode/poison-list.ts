import { ItemError } from '@epd/connector';
import type { Redis } from 'ioredis';
import { Value } from 'typebox/value';

/**
 * Long enough that a client's retries do not crash the fleet again, short enough after a fix is
 * deployed.
 */
const REMEMBERED_MS = 3_600_000;

/** Images that crashed encoders: no encoder retries them for an hour. */
export class PoisonList {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async add(mmHash: string, error: ItemError): Promise<void> {
    await this.#redis.set(this.key(mmHash), JSON.stringify(error), 'PX', REMEMBERED_MS);
  }

  /** The key that says why the image must not be tried: for the script that claims its flight. */
  key(mmHash: string): string {
    return `${this.#prefix}:poison:${mmHash}`;
  }
}

/** What stands at an image's key. */
export function poisonError(json: string): ItemError {
  const error: unknown = JSON.parse(json);
  if (Value.Check(ItemError, error)) return error;
  return { code: 'encode_poison', message: 'The image crashed encoders', retryable: false };
}
