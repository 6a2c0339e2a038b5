import assert from 'node:assert/strict';

interface Entry<User> {
  /** The reserved bytes, until the item's actual size is known. */
  bytes: number;
  readonly reservedBytes: number;
  readonly users: Set<User>;
  /** False while the item is in transfer: its memory is reserved, its data has not arrived. */
  filled: boolean;
}

/**
 * Accounts for the encoder cache in bytes; holds no data. The users (requests, or an engine's
 * sequences) that still need an item reference it. An item without references stays in the cache
 * and is freeable; items that became freeable first are evicted first. A referenced item is evicted
 * only for a user to whom all its users yield: if users yield in a fixed order, the first in that
 * order always gets memory, so they cannot deadlock. An item in transfer is never evicted.
 *
 * Invariants: `usedBytes` is the sum of all entries, and at most the capacity except for items that
 * arrived larger than their reservation; freeable are exactly the filled entries without
 * references.
 */
export class EncoderCacheManager<User = string> {
  readonly capacityBytes: number;
  /** Most recently referenced last. */
  readonly #entries = new Map<string, Entry<User>>();
  readonly #byUser = new Map<User, Set<string>>();
  /** In the order in which they became freeable. */
  readonly #freeable = new Set<string>();
  #usedBytes = 0;
  #freeableBytes = 0;
  #underWay = 0;

  constructor(capacityBytes: number) {
    assert(capacityBytes > 0, 'The capacity of an encoder cache must be positive');
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Part of `usedBytes` that any reservation may evict. */
  get freeableBytes(): number {
    return this.#freeableBytes;
  }

  /** Items with reserved memory that have not arrived yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Whether the item has memory, filled or not. */
  has(mmHash: string): boolean {
    return this.#entries.has(mmHash);
  }

  isFilled(mmHash: string): boolean {
    return this.#entries.get(mmHash)?.filled ?? false;
  }

  /**
   * Reserves memory for a new item and references it. Returns the evicted items, whose data the
   * caller must drop; null, without any change, when there is no room now. `yields`: whether
   * another user yields its items. A caller must refuse an item larger than the capacity, because
   * waiting would never end.
   */
  reserve(
    mmHash: string,
    bytes: number,
    user: User,
    yields: (other: User) => boolean = () => false,
  ): string[] | null {
    assert(!this.#entries.has(mmHash), `${mmHash} already has memory`);
    const evicted = this.#evictableFor(bytes, yields);
    if (!evicted) return null;
    for (const other of evicted) this.discard(other);
    this.#entries.set(mmHash, { bytes, reservedBytes: bytes, users: new Set(), filled: false });
    this.#usedBytes += bytes;
    this.#underWay += 1;
    this.acquire(mmHash, user);
    assert(this.#usedBytes <= this.capacityBytes);
    return evicted;
  }

  /** References an item that has memory. */
  acquire(mmHash: string, user: User): void {
    const entry = this.#entry(mmHash);
    if (entry.users.has(user)) return;
    if (this.#freeable.delete(mmHash)) this.#freeableBytes -= entry.bytes;
    entry.users.add(user);
    const held = this.#byUser.get(user) ?? new Set();
    this.#byUser.set(user, held.add(mmHash));
    this.#entries.delete(mmHash);
    this.#entries.set(mmHash, entry);
  }

  /** The item's data has arrived in the encoder cache, with its actual size. */
  settle(mmHash: string, bytes: number): void {
    const entry = this.#entry(mmHash);
    if (entry.filled) return;
    this.#usedBytes += bytes - entry.bytes;
    this.#underWay -= 1;
    entry.bytes = bytes;
    entry.filled = true;
    this.#freeIfUnreferenced(mmHash, entry);
  }

  /**
   * The user no longer needs the item: after its last use in the prompt. The data stays for others.
   */
  release(mmHash: string, user: User): void {
    if (!this.#forget(mmHash, user)) return;
    const entry = this.#entry(mmHash);
    entry.users.delete(user);
    this.#freeIfUnreferenced(mmHash, entry);
  }

  /** The user has ended in any way, or starts over. */
  releaseAll(user: User): void {
    for (const mmHash of this.#byUser.get(user) ?? []) this.release(mmHash, user);
  }

  /**
   * The item did not arrive, or is gone: frees its memory. Returns the users that still need it.
   */
  discard(mmHash: string): User[] {
    const entry = this.#entries.get(mmHash);
    if (!entry) return [];
    for (const user of entry.users) this.#forget(mmHash, user);
    this.#entries.delete(mmHash);
    this.#usedBytes -= entry.bytes;
    if (!entry.filled) this.#underWay -= 1;
    if (this.#freeable.delete(mmHash)) this.#freeableBytes -= entry.bytes;
    return [...entry.users];
  }

  /** Throws when the account is inconsistent. For tests: checks every entry. */
  checkInvariants(): void {
    let usedBytes = 0;
    let freeableBytes = 0;
    let excessBytes = 0;
    let references = 0;
    for (const [mmHash, entry] of this.#entries) {
      const isFreeable = entry.filled && entry.users.size === 0;
      usedBytes += entry.bytes;
      freeableBytes += isFreeable ? entry.bytes : 0;
      excessBytes += Math.max(0, entry.bytes - entry.reservedBytes);
      references += entry.users.size;
      assert.equal(this.#freeable.has(mmHash), isFreeable);
      for (const user of entry.users) assert(this.#byUser.get(user)?.has(mmHash));
    }
    const held = [...this.#byUser.values()].reduce((sum, { size }) => sum + size, 0);
    const unfilled = [...this.#entries.values()].filter(({ filled }) => !filled);
    assert.equal(held, references);
    assert.equal(this.#underWay, unfilled.length);
    assert.equal(this.#usedBytes, usedBytes);
    assert.equal(this.#freeableBytes, freeableBytes);
    assert(usedBytes <= this.capacityBytes + excessBytes);
  }

  /**
   * The items to evict, as far as needed: first those without references, then those whose users
   * yield.
   */
  #evictableFor(bytes: number, yields: (other: User) => boolean): string[] | null {
    let freeBytes = this.capacityBytes - this.#usedBytes;
    const evicted: string[] = [];
    for (const [mmHash, entry] of this.#evictable(yields)) {
      if (freeBytes >= bytes) break;
      freeBytes += entry.bytes;
      evicted.push(mmHash);
    }
    return freeBytes >= bytes ? evicted : null;
  }

  *#evictable(yields: (other: User) => boolean): Iterable<[string, Entry<User>]> {
    for (const mmHash of this.#freeable) yield [mmHash, this.#entry(mmHash)];
    for (const [mmHash, entry] of this.#entries) {
      if (!entry.filled || entry.users.size === 0) continue;
      if ([...entry.users].every(yields)) yield [mmHash, entry];
    }
  }

  #forget(mmHash: string, user: User): boolean {
    const held = this.#byUser.get(user);
    const wasHeld = held?.delete(mmHash) ?? false;
    if (held?.size === 0) this.#byUser.delete(user);
    return wasHeld;
  }

  #freeIfUnreferenced(mmHash: string, entry: Entry<User>): void {
    if (!entry.filled || entry.users.size > 0) return;
    this.#freeable.add(mmHash);
    this.#freeableBytes += entry.bytes;
  }

  #entry(mmHash: string): Entry<User> {
    const entry = this.#entries.get(mmHash);
    assert(entry, `${mmHash} has no memory in the encoder cache`);
    return entry;
  }
}
