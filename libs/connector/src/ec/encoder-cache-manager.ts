import assert from 'node:assert/strict';

interface Entry<User> {
  /** What was reserved, until it is known what the item takes. */
  bytes: number;
  readonly reservedBytes: number;
  readonly users: Set<User>;
  /** False while the item is on its way: its space is taken, its data not there. */
  filled: boolean;
}

/**
 * Accounts for the encoder cache in bytes; holds no data. An item is referenced by the users (requests,
 * or an engine's sequences) that still need it, and stays, freeable, when nobody does. When room is
 * wanted, what became freeable first goes first. What is referenced goes only to a user whom all who
 * reference it yield to: if users yield to those before them in a fixed order, whoever is first in it
 * always gets room, so that they cannot wait for each other for ever. An item on its way is never
 * evicted, referenced or not.
 *
 * Invariants: `usedBytes` is the sum of all entries, and at most the capacity but for what items came
 * larger than was reserved for them; freeable are exactly the filled entries that no user references.
 */
export class EncoderCacheManager<User = string> {
  readonly capacityBytes: number;
  /** Those that were referenced last are last. */
  readonly #entries = new Map<string, Entry<User>>();
  readonly #byUser = new Map<User, Set<string>>();
  /** In the order in which they became freeable. */
  readonly #freeable = new Set<string>();
  #usedBytes = 0;
  #freeableBytes = 0;
  #underWay = 0;

  constructor(capacityBytes: number) {
    assert(capacityBytes > 0, 'An encoder cache needs room');
    this.capacityBytes = capacityBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Part of `usedBytes` that any reservation may reclaim. */
  get freeableBytes(): number {
    return this.#freeableBytes;
  }

  /** Items that have their space and are not there yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Whether the item has its space, filled or not. */
  has(mmHash: string): boolean {
    return this.#entries.has(mmHash);
  }

  isFilled(mmHash: string): boolean {
    return this.#entries.get(mmHash)?.filled ?? false;
  }

  /**
   * Takes space for a new item and references it. Returns what was evicted for it, whose data is to be
   * dropped; null when there is no room now, and nothing was changed. `yields`: does this other user
   * give up what it references? More than the capacity is never to be had: refuse it, do not wait.
   */
  reserve(
    mmHash: string,
    bytes: number,
    user: User,
    yields: (other: User) => boolean = () => false,
  ): string[] | null {
    assert(!this.#entries.has(mmHash), `${mmHash} has its space already`);
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

  /** References an item that has its space. */
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

  /** The item's data is in the encoder cache, and takes so many bytes there. */
  settle(mmHash: string, bytes: number): void {
    const entry = this.#entry(mmHash);
    if (entry.filled) return;
    this.#usedBytes += bytes - entry.bytes;
    this.#underWay -= 1;
    entry.bytes = bytes;
    entry.filled = true;
    this.#freeIfUnreferenced(mmHash, entry);
  }

  /** The user needs the item no more: at its last use in the prompt. The data stays for others. */
  release(mmHash: string, user: User): void {
    if (!this.#forget(mmHash, user)) return;
    const entry = this.#entry(mmHash);
    entry.users.delete(user);
    this.#freeIfUnreferenced(mmHash, entry);
  }

  /** The user has ended, however, or begins anew. */
  releaseAll(user: User): void {
    for (const mmHash of this.#byUser.get(user) ?? []) this.release(mmHash, user);
  }

  /** The item did not arrive, or is gone: its space is free again. Returns the users that still want it. */
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

  /** Throws when the account is wrong. For tests: looks at every entry. */
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

  /** What has to go, as far as needed: what nobody references first, then what its users yield. */
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
    assert(entry, `${mmHash} has no space in the encoder cache`);
    return entry;
  }
}
