import { ApiError } from './errors.ts';

const RETRY_S = 1;

/**
 * Bytes that callers make this process hold: bodies, and pictures and files on their way through. Each request
 * has one hold, which grows as bytes arrive and is released when they are no longer needed.
 *
 * Invariants: the sum of all holds never exceeds `maxBytes`; a tenant with several holds never exceeds half of
 * it, so that one tenant cannot keep the others out. A single hold may be as large as the whole budget.
 */
export class MemoryBudget {
  readonly maxBytes: number;
  readonly #tenants = new Map<string, { bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A hold of zero bytes. */
  open(tenant: string): MemoryHold {
    return new MemoryHold({
      take: (bytes, held) => this.#take(tenant, bytes, held),
      giveBack: (bytes) => this.#giveBack(tenant, bytes),
    });
  }

  #take(tenant: string, bytes: number, held: number): void {
    const account = this.#tenants.get(tenant) ?? { bytes: 0 };
    const others = account.bytes - held;
    const pastShare = others > 0 && account.bytes + bytes > this.maxBytes / 2;
    if (pastShare || this.#bytes + bytes > this.maxBytes) {
      throw new ApiError(
        'busy',
        `The process already holds ${this.#bytes} bytes of bodies and files, of at most ${this.maxBytes}; try again`,
        { retryAfterS: RETRY_S },
      );
    }
    this.#tenants.set(tenant, account);
    account.bytes += bytes;
    this.#bytes += bytes;
  }

  #giveBack(tenant: string, bytes: number): void {
    const account = this.#tenants.get(tenant);
    if (account === undefined) return;
    account.bytes -= bytes;
    this.#bytes -= bytes;
    if (account.bytes === 0) this.#tenants.delete(tenant);
  }
}

interface Source {
  take(bytes: number, held: number): void;
  giveBack(bytes: number): void;
}

/** What one request holds of the budget. */
export class MemoryHold {
  readonly #source: Source;
  #bytes = 0;
  #released = false;

  constructor(source: Source) {
    this.#source = source;
  }

  /** Throws `busy`, and takes nothing, when the budget does not have so much. A released hold takes nothing. */
  take(bytes: number): void {
    if (this.#released || bytes === 0) return;
    this.#source.take(bytes, this.#bytes);
    this.#bytes += bytes;
  }

  /** Safe to call again. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#source.giveBack(this.#bytes);
  }
}
