import { Semaphore } from '@epd/connector';

interface Share {
  readonly slots: Semaphore;
  users: number;
}

/**
 * Fetches of the process that run at once. A tenant has at most half of them, so that one who names slow
 * servers cannot hold up the others.
 */
export class FetchSlots {
  readonly #all: Semaphore;
  readonly #perTenant: number;
  readonly #shares = new Map<string, Share>();

  constructor(maxFetches: number) {
    this.#all = new Semaphore(maxFetches);
    this.#perTenant = Math.max(1, Math.ceil(maxFetches / 2));
  }

  /** Queues `work`; rejects as soon as `signal` is aborted, also while it is queued. */
  async run<T>(tenant: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const share = this.#shares.get(tenant) ?? { slots: new Semaphore(this.#perTenant), users: 0 };
    this.#shares.set(tenant, share);
    share.users += 1;
    const begin = (): Promise<T> => {
      signal.throwIfAborted();
      return work();
    };
    const turn = share.slots
      .run(() => this.#all.run(async () => begin()))
      .finally(() => {
        share.users -= 1;
        if (share.users === 0) this.#shares.delete(tenant);
      });
    return Promise.race([turn, rejectedWhenAborted(signal)]);
  }
}

const rejectedWhenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
