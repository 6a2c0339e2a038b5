import { ObjectTooLargeError } from '../errors.ts';
import { sharedBytes } from '../shared-bytes.ts';
import { LruBytes } from './lru-bytes.ts';
import { bytesOf, copyInto, type ObjectBody } from './object-body.ts';
import type {
  ByteRange,
  GetOptions,
  ListedObject,
  SizedStat,
  ObjectStore,
  PutOptions,
  PutResult,
} from './object-store.ts';
import { assertStoreKey, assertStorePrefix } from './store-key.ts';

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

interface StoredObject {
  readonly body: Uint8Array;
  readonly stat: SizedStat;
}

/**
 * Objects in this process, bounded in bytes, evicted least recently used first. As a tier it is a
 * cache; alone it is a store for one process that evicts objects, which readers must tolerate
 * anyway.
 */
export class MemoryStore implements ObjectStore {
  readonly #objects = new Map<string, StoredObject>();
  readonly #lru: LruBytes;
  #puts = 0;

  constructor(options: { readonly maxBytes?: number } = {}) {
    this.#lru = new LruBytes(options.maxBytes ?? DEFAULT_MAX_BYTES);
  }

  get usedBytes(): number {
    return this.#lru.usedBytes;
  }

  /** An object that can never fit throws `ObjectTooLargeError`. */
  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    assertStoreKey(key);
    const present = this.#objects.get(key);
    if (present && options.onlyIfAbsent) return { etag: present.stat.etag, created: false };
    const bytes = bytesOf(body);
    if (!this.#lru.fits(bytes)) throw new ObjectTooLargeError(key, bytes, this.#lru.maxBytes);
    this.#puts += 1;
    const object = storedObject(body, bytes, String(this.#puts));
    this.#objects.set(key, object);
    for (const evicted of this.#lru.add(key, bytes)) this.#objects.delete(evicted);
    return { etag: object.stat.etag, created: true };
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array | null> {
    assertStoreKey(key);
    options.signal?.throwIfAborted();
    const object = this.#objects.get(key);
    if (!object) return null;
    const maxBytes = options.maxBytes ?? Number.POSITIVE_INFINITY;
    if (object.stat.bytes > maxBytes)
      throw new ObjectTooLargeError(key, object.stat.bytes, maxBytes);
    this.#lru.touch(key);
    return object.body;
  }

  async getRange(key: string, { start, bytes }: ByteRange): Promise<Uint8Array | null> {
    return (await this.get(key))?.subarray(start, start + bytes) ?? null;
  }

  async stat(key: string): Promise<SizedStat | null> {
    assertStoreKey(key);
    return this.#objects.get(key)?.stat ?? null;
  }

  async delete(key: string): Promise<void> {
    assertStoreKey(key);
    this.#objects.delete(key);
    this.#lru.remove(key);
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    assertStorePrefix(prefix);
    for (const [key, { stat }] of this.#objects) {
      if (key.startsWith(prefix)) yield { key, ...stat };
    }
  }

  async ping(): Promise<void> {}

  async close(): Promise<void> {
    this.#objects.clear();
  }
}

/** In memory that threads can share, if readers need that: they need not copy what they get. */
function storedObject(body: ObjectBody, bytes: number, etag: string): StoredObject {
  return {
    body: copyInto(sharedBytes(bytes), body),
    stat: { bytes, etag, modifiedAtMs: Date.now() },
  };
}
