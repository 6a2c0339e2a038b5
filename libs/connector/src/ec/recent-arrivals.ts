import type { CompletionEvent } from '../messages.ts';
import type { ItemArrival } from './ec-connector.ts';

/** Enough for every item of the requests at hand; an entry is some hundred bytes. */
const MAX_ARRIVALS = 4096;

/** What completion events said lately, also of items in which nobody here was interested yet. */
export class RecentArrivals {
  readonly #arrivals = new Map<string, ItemArrival>();

  add(event: CompletionEvent): void {
    this.#arrivals.delete(event.mmHash);
    if (event.outcome !== 'stored') return;
    const { mmHash, dtype, timings } = event;
    this.#arrivals.set(mmHash, { mmHash, dtype, timings });
    if (this.#arrivals.size > MAX_ARRIVALS) this.#dropOldest();
  }

  get(mmHash: string): ItemArrival | null {
    return this.#arrivals.get(mmHash) ?? null;
  }

  #dropOldest(): void {
    for (const mmHash of this.#arrivals.keys()) {
      this.#arrivals.delete(mmHash);
      return;
    }
  }
}
