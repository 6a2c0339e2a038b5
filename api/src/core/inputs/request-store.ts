import {
  StoreUnavailableError,
  type ListedObject,
  type ObjectStat,
  type ObjectStore,
  type PutResult,
} from '@epd/connector';

type Put = Parameters<ObjectStore['put']>;
type Get = Parameters<ObjectStore['get']>;
type GetRange = Parameters<ObjectStore['getRange']>;

interface RequestStoreOptions {
  /** Time limit of a call, extended by the transfer time of its bytes. */
  readonly waitMs: number;
  /** Why the store must not be used now; empty when it may. */
  readonly refusal: () => string;
}

/** Minimum usable bandwidth: 4 MiB/s, in bytes per millisecond. */
const MIN_BYTES_PER_MS = (4 * 1024 * 1024) / 1000;

/**
 * The object store for requests: a caller waits for it at most for a bounded time, even if the
 * store's client continues to retry, and nothing is read from or written to a store that is not the
 * fleet's. Throws `StoreUnavailableError` for both.
 */
export class RequestStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #options: RequestStoreOptions;

  constructor(store: ObjectStore, options: RequestStoreOptions) {
    this.#store = store;
    this.#options = options;
  }

  put(...[key, body, options]: Put): Promise<PutResult> {
    const parts = body instanceof Uint8Array ? [body] : body;
    const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return this.#within(() => this.#store.put(key, body, options), bytes);
  }

  get(...[key, options]: Get): Promise<Uint8Array | null> {
    return this.#within(() => this.#store.get(key, options), options?.maxBytes);
  }

  getRange(...[key, range]: GetRange): Promise<Uint8Array | null> {
    return this.#within(() => this.#store.getRange(key, range), range.bytes);
  }

  stat(key: string): Promise<ObjectStat | null> {
    return this.#within(() => this.#store.stat(key));
  }

  delete(key: string): Promise<void> {
    return this.#within(() => this.#store.delete(key));
  }

  /** Without a limit: no request lists. */
  list(prefix: string): AsyncIterable<ListedObject> {
    this.#assertUsable();
    return this.#store.list(prefix);
  }

  ping(): Promise<void> {
    return this.#store.ping();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #within<R>(call: () => Promise<R>, bytes = 0): Promise<R> {
    this.#assertUsable();
    const withinMs = Math.ceil(this.#options.waitMs + bytes / MIN_BYTES_PER_MS);
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new StoreUnavailableError('object', `no response within ${withinMs} ms`));
    }, withinMs);
    try {
      return await Promise.race([call(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #assertUsable(): void {
    const refusal = this.#options.refusal();
    if (refusal !== '') throw new StoreUnavailableError('object', refusal);
  }
}
