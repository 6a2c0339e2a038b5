import assert from 'node:assert/strict';

interface Entry {
  readonly bytes: number;
  readonly requests: Set<string>;
  /** False while the item is on its way: its space is taken, its data not there. */
  filled: boolean;
}

/**
 * Accounts for the encoder cache in bytes; holds no data. An item is referenced by the requests that
 * still need it, and stays, freeable, when nobody does: what became freeable first goes first, and
 * only when room is wanted. An item on its way is never evicted, referenced or not.
 *
 * Invariants: `usedBytes` is the sum of all entries and at most the capacity; freeable are exactly
 * the filled entries that no request references.
 */
export class EncoderCacheManager {
  readonly capacityBytes: number;
  readonly #entries = new Map<string, Entry>();
  readonly #byRequest = new Map<string, Set<string>>();
  /** In the order in which they became freeable. */
  readonly #freeable = new Set<string>();
  readonly #freed = new Set<string>();
  #usedBytes = 0;
  #freeableBytes = 0;

  constructor(capacityBytes: number) {
    assert(capacityBytes > 0, 'An encoder cache needs room');
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Part of `usedBytes` that an allocation may reclaim. */
  get freeableBytes(): number {
    return this.#freeableBytes;
  }

  /** Whether the item has its space, filled or not. */
  has(mmHash: string): boolean {
    return this.#entries.has(mmHash);
  }

  isFilled(mmHash: string): boolean {
    return this.#entries.get(mmHash)?.filled ?? false;
  }

  /** False for what is larger than the whole cache: a request for it must be refused, not deferred. */
  canEverAllocate(bytes: number): boolean {
    return bytes <= this.capacityBytes;
  }

  canAllocate(bytes: number): boolean {
    return bytes <= this.capacityBytes - this.#usedBytes + this.#freeableBytes;
  }

  /** Takes space for a new item and references it, evicting what is freeable as far as needed. */
  allocate(mmHash: string, bytes: number, requestId: string): void {
    assert(!this.#entries.has(mmHash), `${mmHash} has its space already`);
    assert(this.canAllocate(bytes), `There is no room for ${bytes} bytes`);
    this.#evictFor(bytes);
    this.#entries.set(mmHash, { bytes, requests: new Set(), filled: false });
    this.#usedBytes += bytes;
    this.#freed.delete(mmHash);
    this.acquire(mmHash, requestId);
    assert(this.#usedBytes <= this.capacityBytes);
  }

  /** References an item that has its space. */
  acquire(mmHash: string, requestId: string): void {
    const entry = this.#entry(mmHash);
    entry.requests.add(requestId);
    const held = this.#byRequest.get(requestId) ?? new Set();
    this.#byRequest.set(requestId, held.add(mmHash));
    if (this.#freeable.delete(mmHash)) this.#freeableBytes -= entry.bytes;
  }

  /** The item's data is in the encoder cache. */
  markFilled(mmHash: string): void {
    const entry = this.#entry(mmHash);
    if (entry.filled) return;
    entry.filled = true;
    this.#freeIfUnreferenced(mmHash, entry);
  }

  /** The request needs the item no more: at its last use in the prompt. The data stays for others. */
  release(mmHash: string, requestId: string): void {
    if (!this.#forget(mmHash, requestId)) return;
    const entry = this.#entry(mmHash);
    entry.requests.delete(requestId);
    this.#freeIfUnreferenced(mmHash, entry);
  }

  /** The request has ended, however. */
  releaseRequest(requestId: string): void {
    for (const mmHash of this.#byRequest.get(requestId) ?? []) this.release(mmHash, requestId);
  }

  /** The item did not arrive: its space is free again. Returns the requests that still want it. */
  discard(mmHash: string): string[] {
    const entry = this.#entries.get(mmHash);
    if (!entry) return [];
    const requests = [...entry.requests];
    for (const requestId of requests) this.#forget(mmHash, requestId);
    this.#remove(mmHash, entry);
    return requests;
  }

  /** Items evicted since the last call; the runner drops their data. */
  takeFreed(): string[] {
    const freed = [...this.#freed];
    this.#freed.clear();
    return freed;
  }

  /** Throws when the account is wrong. For tests: looks at every entry. */
  checkInvariants(): void {
    let usedBytes = 0;
    let freeableBytes = 0;
    for (const [mmHash, entry] of this.#entries) {
      const isFreeable = entry.filled && entry.requests.size === 0;
      usedBytes += entry.bytes;
      freeableBytes += isFreeable ? entry.bytes : 0;
      assert.equal(this.#freeable.has(mmHash), isFreeable);
      for (const requestId of entry.requests) assert(this.#byRequest.get(requestId)?.has(mmHash));
    }
    assert.equal(this.#usedBytes, usedBytes);
    assert.equal(this.#freeableBytes, freeableBytes);
    assert(usedBytes <= this.capacityBytes);
  }

  #forget(mmHash: string, requestId: string): boolean {
    const held = this.#byRequest.get(requestId);
    const wasHeld = held?.delete(mmHash) ?? false;
    if (held?.size === 0) this.#byRequest.delete(requestId);
    return wasHeld;
  }

  #evictFor(bytes: number): void {
    for (const mmHash of this.#freeable) {
      if (bytes <= this.capacityBytes - this.#usedBytes) return;
      this.#remove(mmHash, this.#entry(mmHash));
      this.#freed.add(mmHash);
    }
  }

  #remove(mmHash: string, entry: Entry): void {
    this.#entries.delete(mmHash);
    this.#usedBytes -= entry.bytes;
    if (this.#freeable.delete(mmHash)) this.#freeableBytes -= entry.bytes;
  }

  #freeIfUnreferenced(mmHash: string, entry: Entry): void {
    if (!entry.filled || entry.requests.size > 0) return;
    this.#freeable.add(mmHash);
    this.#freeableBytes += entry.bytes;
  }

  #entry(mmHash: string): Entry {
    const entry = this.#entries.get(mmHash);
    assert(entry, `${mmHash} has no space in the encoder cache`);
    return entry;
  }
}
