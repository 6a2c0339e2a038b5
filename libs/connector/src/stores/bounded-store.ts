import { Lazy } from '../lazy.ts';
import { LruBytes } from './lru-bytes.ts';
import { bytesOf, type ObjectBody } from './object-body.ts';
import type {
  ByteRange,
  GetOptions,
  ListedObject,
  ObjectStat,
  ObjectStore,
  PutOptions,
  PutResult,
} from './object-store.ts';

/** Longer than any put takes. */
const LEFTOVER_MS = 10 * 60_000;

/**
 * A store used as a cache by one process: bounded in bytes, evicted least recently used first.
 * Objects from an earlier run are counted on first use. An object that can never fit is not stored.
 */
export class BoundedStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #lru: LruBytes;
  /** Keys that are being put, and how often: already counted, not stored yet. */
  readonly #putting = new Map<string, number>();
  readonly #known = new Lazy(() => this.#learn());

  constructor(store: ObjectStore, maxBytes: number) {
    this.#store = store;
    this.#lru = new LruBytes(maxBytes);
  }

  get usedBytes(): number {
    return this.#lru.usedBytes;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    await this.#known.get();
    const bytes = bytesOf(body);
    if (!this.#lru.fits(bytes)) {
      await this.delete(key);
      return { etag: '', created: false };
    }
    // Evicts first, so that the bound holds on disk too.
    await this.#evict(this.#lru.add(key, bytes));
    this.#count(key, 1);
    try {
      return await this.#store.put(key, body, options);
    } catch (error) {
      this.#lru.remove(key);
      throw error;
    } finally {
      this.#count(key, -1);
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array | null> {
    await this.#known.get();
    const body = await this.#store.get(key, options);
    if (body) this.#lru.touch(key);
    else if (!this.#putting.has(key)) this.#lru.remove(key);
    return body;
  }

  getRange(key: string, range: ByteRange): Promise<Uint8Array | null> {
    return this.#store.getRange(key, range);
  }

  stat(key: string): Promise<ObjectStat | null> {
    return this.#store.stat(key);
  }

  async delete(key: string): Promise<void> {
    await this.#known.get();
    this.#lru.remove(key);
    await this.#store.delete(key);
  }

  list(prefix: string): AsyncIterable<ListedObject> {
    return this.#store.list(prefix);
  }

  ping(): Promise<void> {
    return this.#store.ping();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #count(key: string, puts: 1 | -1): void {
    const count = (this.#putting.get(key) ?? 0) + puts;
    if (count === 0) this.#putting.delete(key);
    else this.#putting.set(key, count);
  }

  async #learn(): Promise<void> {
    await this.#store.removeLeftovers?.(LEFTOVER_MS);
    const objects = await Array.fromAsync(this.#store.list(''));
    objects.sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
    for (const { key, bytes } of objects) {
      if (this.#lru.fits(bytes)) await this.#evict(this.#lru.add(key, bytes));
      else await this.#store.delete(key);
    }
  }

  async #evict(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#store.delete(key);
  }
}
