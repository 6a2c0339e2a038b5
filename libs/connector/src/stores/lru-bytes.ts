/**
 * Accounting of a cache bounded in bytes: its keys, their sizes, and their order of use. Holds no
 * objects.
 *
 * Invariant: `usedBytes` is the sum of all sizes. A Map iterates in order of insertion, and a use
 * reinserts the key, so the first key is always the least recently used.
 */
export class LruBytes {
  readonly maxBytes: number;
  readonly #sizes = new Map<string, number>();
  #usedBytes = 0;

  constructor(maxBytes: number) {
    if (!(maxBytes > 0)) throw new TypeError(`maxBytes must be positive, not ${maxBytes}`);
    this.maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  has(key: string): boolean {
    return this.#sizes.has(key);
  }

  fits(bytes: number): boolean {
    return bytes <= this.maxBytes;
  }

  /** Records a use, if the key is held. */
  touch(key: string): void {
    const bytes = this.#sizes.get(key);
    if (bytes === undefined) return;
    this.#sizes.delete(key);
    this.#sizes.set(key, bytes);
  }

  /** Records a key, and returns the keys to evict for it, least recently used first. */
  add(key: string, bytes: number): string[] {
    if (!this.fits(bytes))
      throw new TypeError(`${bytes} bytes can never fit into ${this.maxBytes}`);
    this.remove(key);
    this.#sizes.set(key, bytes);
    this.#usedBytes += bytes;
    return this.#overflow();
  }

  remove(key: string): void {
    this.#usedBytes -= this.#sizes.get(key) ?? 0;
    this.#sizes.delete(key);
  }

  #overflow(): string[] {
    const evicted: string[] = [];
    for (const key of this.#sizes.keys()) {
      if (this.#usedBytes <= this.maxBytes) break;
      evicted.push(key);
      this.remove(key);
    }
    return evicted;
  }
}
