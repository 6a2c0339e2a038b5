import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import type { EncodeRequester } from '../encodes/encode-requester.ts';
import type { ItemError } from '../messages.ts';
import type { ECRole } from './ec-connector.ts';
import { groupByGeneration, type Interest, type TrackedItem } from './tracked-item.ts';
import { isConsumer } from './transfer-config.ts';

export interface ItemLookerOptions {
  readonly ecRole: ECRole;
  readonly embeddings: EmbeddingStore;
  readonly requester?: EncodeRequester;
}

export interface LookAnswer {
  readonly available: boolean;
  /** Interests that can never be served. */
  readonly failures: readonly { readonly interests: Interest[]; readonly error: ItemError }[];
}

const UNKNOWN: LookAnswer = { available: false, failures: [] };
const AVAILABLE: LookAnswer = { available: true, failures: [] };

/**
 * Finds out the state of an item: checks the store, and for a consumer joins and checks the single
 * flights of its waiters, which also requests lost work again. Throws when the store or Redis is
 * unreachable.
 */
export class ItemLooker {
  readonly #embeddings: EmbeddingStore;
  readonly #requester: EncodeRequester | undefined;
  readonly #isConsumer: boolean;

  constructor(options: ItemLookerOptions) {
    this.#embeddings = options.embeddings;
    this.#isConsumer = isConsumer(options);
    this.#requester = options.requester;
  }

  async look(item: TrackedItem): Promise<LookAnswer> {
    // A producer checks what every process can read, not its own caches.
    if (!this.#isConsumer) return (await this.#embeddings.has(item.spec)) ? AVAILABLE : UNKNOWN;
    if (await this.#embeddings.isCached(item.spec)) return AVAILABLE;
    if (this.#requester) return this.#askFlights(item, this.#requester);
    return (await this.#embeddings.has(item.spec)) ? AVAILABLE : UNKNOWN;
  }

  async #askFlights(item: TrackedItem, requester: EncodeRequester): Promise<LookAnswer> {
    for (const interest of item.interests.values()) {
      if (interest.generation !== null) continue;
      if (await this.#joinFlight(item, interest, requester)) return AVAILABLE;
    }
    const failures = [];
    // At first whoever joined the flight has just queued the encode; a later look finds it if that was lost.
    for (const [generation, interests] of groupByGeneration(item)) {
      const [first] = interests as [Interest, ...Interest[]];
      const answer = await requester.recheck(item.job, first.requestId, generation, {
        trustQueue: !item.wasLooked,
      });
      await leaveIfGone(item, first, requester);
      if (answer.state === 'stored') return AVAILABLE;
      if (answer.state === 'failed')
        failures.push({ interests: current(item, interests), error: answer.error });
      for (const interest of interests) interest.generation = answer.generation;
    }
    item.wasLooked = true;
    return { available: false, failures };
  }

  /**
   * The generation that this interest waits for is unknown: joins a flight. True when the item was
   * found meanwhile.
   */
  async #joinFlight(
    item: TrackedItem,
    interest: Interest,
    requester: EncodeRequester,
  ): Promise<boolean> {
    const { found, generation } = await requester.request(item.job, interest.requestId);
    interest.generation = generation;
    await leaveIfGone(item, interest, requester);
    return found === 'stored';
  }
}

const isCurrent = (item: TrackedItem, interest: Interest): boolean =>
  item.interests.get(interest.requestId) === interest;

const current = (item: TrackedItem, interests: readonly Interest[]): Interest[] =>
  interests.filter((interest) => isCurrent(item, interest));

/** The request ended while it joined a flight: its release may have come too early. */
async function leaveIfGone(
  item: TrackedItem,
  interest: Interest,
  requester: EncodeRequester,
): Promise<void> {
  if (isCurrent(item, interest)) return;
  await requester.release(item.spec.mmHash, interest.requestId, item.job.model);
}
