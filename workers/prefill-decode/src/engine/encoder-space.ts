interface Entry {
  bytes: number;
  ready: boolean;
  /** Keys of the sequences that still need it. */
  readonly users: Set<number>;
}

/**
 * Room for images' embeddings within a budget in bytes. An entry is reserved before its load begins,
 * ready when it is here, and kept after its last user until the room is wanted, least recently used
 * first. A reservation never pushes out what somebody needs.
 */
export class EncoderSpace {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
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

  /** Notes that a sequence needs the entry. False when there is none. */
  use(mmHash: string, user: number): boolean {
    const entry = this.#entries.get(mmHash);
    if (!entry) return false;
    if (entry.users.has(user)) return true;
    entry.users.add(user);
    this.#entries.delete(mmHash);
    this.#entries.set(mmHash, entry);
    return true;
  }

  /** Makes an entry; returns what had to go for it, or null when there is no room now. */
  reserve(mmHash: string, bytes: number, user: number): string[] | null {
    const idle = [...this.#entries].filter(([, { ready, users }]) => ready && users.size === 0);
    const evicted: string[] = [];
    let free = this.#capacity - this.#used;
    for (const [other, entry] of idle) {
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

  release(mmHash: string, user: number): void {
    this.#entries.get(mmHash)?.users.delete(user);
  }
}
