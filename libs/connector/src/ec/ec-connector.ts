import type { Embedding, EmbeddingSpec } from '../embedding.ts';
import type { EncodeJob, ItemError } from '../messages.ts';

/** Which side of the transfer a process plays: vLLM's names. */
export type ECRole = 'ec_producer' | 'ec_consumer' | 'ec_both';

/** Encoder outputs by `mm_hash`: what a worker holds in its own memory. */
export type EncoderCache = Map<string, Embedding>;

/** One image of a prompt. Its `rows` embeddings go, in order, to the image tokens of the span. */
export interface MultiModalFeature {
  readonly mmHash: string;
  /** First token of the image's span in the prompt. */
  readonly offset: number;
  /** Tokens in the span; at least `rows`, for some tokens of a span may be separators. */
  readonly length: number;
  /** Embeddings that the image yields. */
  readonly rows: number;
  /** What an encoder needs to make it, should the store not have it. */
  readonly encode: EncodeJob;
  /** Of the flight that whoever accepted the request joined for it; 0: it was stored. Unknown: absent. */
  readonly generation?: number;
}

/** What the scheduler side knows of a request. */
export interface ECRequest {
  readonly id: string;
  readonly features: readonly MultiModalFeature[];
}

/** Per-step message from the scheduler side to the worker side. Opaque to everyone else. */
export interface ECConnectorMetadata {
  readonly loads: readonly EmbeddingSpec[];
}

/** How an embedding came to be loaded, for the job's record. Milliseconds. */
export interface LoadReport {
  readonly mmHash: string;
  readonly tier: string;
  readonly loadMs: number;
  readonly bytes: number;
}

/** How an embedding came to be saved, for the announcement. */
export interface SaveReport {
  readonly mmHash: string;
  /** Of the stored file. */
  readonly bytes: number;
  readonly etag: string;
  readonly saveMs: number;
}

/** Per-step message from the worker side to the scheduler side. */
export interface ECConnectorOutput {
  /** mm_hashes that have become durable since the last call. */
  readonly finishedSending: ReadonlySet<string>;
  /** mm_hashes that are now in the encoder cache. */
  readonly finishedReceiving: ReadonlySet<string>;
  /** mm_hashes whose load found nothing usable; they are to be looked for, or encoded, again. */
  readonly failedReceiving: ReadonlySet<string>;
  /** Those of `failedReceiving` that the store did not answer for: nothing is known against the items. */
  readonly unreached?: ReadonlySet<string>;
  readonly reports: readonly LoadReport[];
  /** One for each of `finishedSending`. */
  readonly saves?: readonly SaveReport[];
  /** Saves that did not become durable, with what was thrown. */
  readonly failedSending?: ReadonlyMap<string, unknown>;
}

/**
 * Scheduler side: decides, never touches embeddings. The engine's scheduler calls it, always from one
 * thread, and between steps only; no method but `lookUp` waits for the network or throws for what the
 * network does.
 *
 * In a step: `ensureCacheAvailable` and `hasCacheItem` while requests are scheduled,
 * `updateStateAfterAlloc` for what got room, `buildConnectorMeta` once, and after the step
 * `updateConnectorOutput` once, then `takeUnavailableRequests`.
 */
export interface ECSchedulerConnector {
  /**
   * Is the item known to be fetchable now? Asked per item in the scheduling loop, after the engine
   * found that its encoder cache has not got it and that there would be room. Answers from what is
   * known of items that a request wants; of others it knows nothing and says no. True is no promise:
   * a load may find the item gone.
   */
  hasCacheItem(mmHash: string): boolean;
  /**
   * For a waiting request, at every attempt to schedule it: see to it that what its prompt needs past
   * `numComputedTokens` is or becomes available (register interest, look, ask for an encode). True
   * when all is known to be there. False defers the request and never fails it; the engine may also
   * begin it and stop before the first missing item.
   */
  ensureCacheAvailable(request: ECRequest, numComputedTokens: number): boolean;
  /**
   * After space was reserved in the encoder cache for `request.features[index]`, which is to be loaded
   * (consumer) or encoded here (producer): note it. The engine must not evict the item before it is
   * reported received or failed. Noting an item that is on its way already changes nothing.
   */
  updateStateAfterAlloc(request: ECRequest, index: number): void;
  /** Once per step, after all of its scheduling: what to load. Empties the pending list. */
  buildConnectorMeta(): ECConnectorMetadata;
  /**
   * Once per step, with what the worker side reports. An item in `failedReceiving` is unknown again
   * and is looked for anew; the engine gives its space back, and reserves again when it is available.
   */
  updateConnectorOutput(output: ECConnectorOutput): void;
  /**
   * The request has ended, however, before its references to the encoder cache are dropped: its
   * interests and leases are dropped, and waiting work that nobody else wants. Called once; loads on
   * their way still arrive.
   */
  requestFinished(request: ECRequest): void;
  /**
   * Requests that can never be served (an image failed for good), with the reason. The engine fails
   * just these, and calls `requestFinished` for each. Taken once.
   */
  takeUnavailableRequests(): ReadonlyMap<string, { mmHash: string; error: ItemError }>;
  /** True while the engine must keep stepping although no request is left: saves are not durable yet. */
  hasPendingPushWork(): boolean;
  /**
   * Producer, before it encodes an item: is it where consumers load it from? Asks there, and is the one
   * method to wait for the network and to throw `StoreUnavailableError`. Not for a scheduling loop.
   */
  lookUp(mmHash: string): Promise<boolean>;
  /**
   * Calls back whenever the answer of one of the methods above, or of the worker side's
   * `getFinished`, may have changed. The listener must only take note: it may be called from within
   * any of these methods.
   */
  onProgress(listener: () => void): void;
}

/**
 * Worker side: moves embeddings, decides nothing. The runner of a step calls it, from the thread that
 * owns the encoder cache: bind, start loads, work, get what has finished, clear (see
 * `withConnectorStep`). Nothing that a peer or the store does makes a method throw, but `waitForSave`.
 */
export interface ECWorkerConnector {
  /** Once, before the first step: the cache that loads fill and saves read. Its owner may evict. */
  registerCaches(cache: EncoderCache): void;
  /** Before a step: what the scheduler side built for it. The last step's must have been cleared. */
  bindConnectorMetadata(metadata: ECConnectorMetadata): void;
  /** After a step, whether it ended well or not. */
  clearConnectorMetadata(): void;
  /**
   * Consumer: begins the loads named in the bound metadata. Returns at once; each item is reported by
   * a later `getFinished`, and is in the cache by then. Does nothing for a producer.
   */
  startLoadCaches(): void;
  /**
   * Producer: begins saving `cache[mmHash]`, which must be there; it may be evicted meanwhile, but its
   * bytes must not change. Called for each item once encoded, and again for one that the store has
   * lost. Returns at once. Does nothing for a consumer.
   */
  saveCaches(mmHash: string): void;
  /**
   * Producer, before an item is announced: resolves when every save begun since the last call is
   * durable; rejects with the first failure once all have ended. `getFinished` tells them apart.
   */
  waitForSave(): Promise<void>;
  /** At the end of every step: what has finished since the last call. Each item is told once. */
  getFinished(): ECConnectorOutput;
  /** Once, at the end: gives loads up, and resolves when what is being saved is durable. */
  shutdown(): Promise<void>;
}
