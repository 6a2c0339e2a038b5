import { ApiError } from './errors.ts';

const RETRY_S = 1;

/** What the holds of one request, or of one tenant, have together. */
interface Account {
  bytes: number;
}

/**
 * Bytes that callers make this process hold: bodies, and pictures and files on their way through. Each request
 * has a hold, which grows as bytes arrive and is released when they are no longer needed, and may have others
 * beside it, of what it holds for a shorter time.
 *
 * Invariants: the sum of all holds never exceeds `maxBytes`; a tenant with several requests never exceeds half of
 * it, so that one tenant cannot keep the others out. A single request may have the whole budget.
 */
export class MemoryBudget {
  readonly maxBytes: number;
  readonly #tenants = new Map<string, Account>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A hold of zero bytes. */
  open(tenant: string): MemoryHold {
    return this.#open(tenant, { bytes: 0 });
  }

  #open(tenant: string, request: Account): MemoryHold {
    return new MemoryHold({
      take: (bytes) => this.#take(tenant, request, bytes),
      giveBack: (bytes) => this.#giveBack(tenant, request, bytes),
      beside: () => this.#open(tenant, request),
    });
  }

  #take(tenant: string, request: Account, bytes: number): void {
    const account = this.#tenants.get(tenant) ?? { bytes: 0 };
    const others = account.bytes - request.bytes;
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
    request.bytes += bytes;
    this.#bytes += bytes;
  }

  #giveBack(tenant: string, request: Account, bytes: number): void {
    const account = this.#tenants.get(tenant);
    if (account === undefined) return;
    account.bytes -= bytes;
    request.bytes -= bytes;
    this.#bytes -= bytes;
    if (account.bytes === 0) this.#tenants.delete(tenant);
  }
}

interface Source {
  take(bytes: number): void;
  giveBack(bytes: number): void;
  beside(): MemoryHold;
}

/** What a request holds of the budget, or a part of it. */
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
    this.#source.take(bytes);
    this.#bytes += bytes;
  }

  /** Another hold of the same request, which is released by itself. */
  beside(): MemoryHold {
    return this.#source.beside();
  }

  /** Safe to call again. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#source.giveBack(this.#bytes);
  }
}
