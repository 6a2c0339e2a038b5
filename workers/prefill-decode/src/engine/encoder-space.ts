interface Entry<User> {
  bytes: number;
  ready: boolean;
  /** Who still needs it. */
  readonly users: Set<User>;
}

/**
 * Room for images' embeddings within a budget in bytes. An entry is reserved before its load begins,
 * ready when it is here, and kept after its last user until the room is wanted, least recently used
 * first. What somebody needs goes only to a user whom all who need it yield to: whoever is first in
 * turn always gets room, so that users cannot wait for each other for ever.
 */
export class EncoderSpace<User> {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry<User>>();
  #used = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get usedBytes(): number {
    return this.#used;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Loads that were begun and have not ended. */
  get loading(): number {
    return [...this.#entries.values()].filter(({ ready }) => !ready).length;
  }

  isReady(mmHash: string): boolean {
    return this.#entries.get(mmHash)?.ready === true;
  }

  /** Notes that the user needs the entry. False when there is none. */
  use(mmHash: string, user: User): boolean {
    const entry = this.#entries.get(mmHash);
    if (!entry) return false;
    if (entry.users.has(user)) return true;
    entry.users.add(user);
    this.#entries.delete(mmHash);
    this.#entries.set(mmHash, entry);
    return true;
  }

  /** Makes an entry; returns what had to go for it, or null when there is no room now. */
  reserve(
    mmHash: string,
    bytes: number,
    user: User,
    yields: (other: User) => boolean,
  ): string[] | null {
    const evicted: string[] = [];
    let free = this.#capacity - this.#used;
    for (const [other, entry] of this.#evictable(yields)) {
      if (free >= bytes) break;
      free += entry.bytes;
      evicted.push(other);
    }
    if (free < bytes) return null;
    for (const other of evicted) this.remove(other);
    this.#entries.set(mmHash, { bytes, ready: false, users: new Set([user]) });
    this.#used += bytes;
    return evicted;
  }

  /** What nobody needs first, then what its users yield. */
  #evictable(yields: (other: User) => boolean): [string, Entry<User>][] {
    const ready = [...this.#entries].filter(([, entry]) => entry.ready);
    const unused = ready.filter(([, { users }]) => users.size === 0);
    const yielded = ready.filter(([, { users }]) => users.size > 0 && [...users].every(yields));
    return [...unused, ...yielded];
  }

  settle(mmHash: string, bytes: number): void {
    const entry = this.#entries.get(mmHash);
    if (!entry) return;
    this.#used += bytes - entry.bytes;
    entry.bytes = bytes;
    entry.ready = true;
  }

  remove(mmHash: string): void {
    this.#used -= this.#entries.get(mmHash)?.bytes ?? 0;
    this.#entries.delete(mmHash);
  }

  release(mmHash: string, user: User): void {
    this.#entries.get(mmHash)?.users.delete(user);
  }
}
