import type { Embedding, EmbeddingSpec } from '../embedding.ts';
import type { EncodeJob, ItemError } from '../messages.ts';

/** Which side of the transfer a process is: vLLM's names. */
export type ECRole = 'ec_producer' | 'ec_consumer' | 'ec_both';

/** Encoder outputs by `mm_hash`, in a worker's memory. */
export type EncoderCache = Map<string, Embedding>;

/** One image of a prompt. Its `rows` embeddings go, in order, to the image tokens of the span. */
export interface MultiModalFeature {
  readonly mmHash: string;
  /** First token of the image's span in the prompt. */
  readonly offset: number;
  /** Tokens in the span; at least `rows`, because some tokens of a span may be separators. */
  readonly length: number;
  /** Embeddings that the image yields. */
  readonly rows: number;
  /** What an encoder needs to encode it, if the store does not have it. */
  readonly encode: EncodeJob;
  /**
   * The single-flight generation that was joined when the request was accepted; 0: it was stored.
   * Absent: unknown.
   */
  readonly generation?: number;
  /** It was found stored, and was leased for this request, when that was accepted. */
  readonly stored?: boolean;
}

/** What the scheduler side knows about a request. */
export interface ECRequest {
  readonly id: string;
  readonly features: readonly MultiModalFeature[];
}

/** Per-step message from the scheduler side to the worker side. Opaque to everyone else. */
export interface ECConnectorMetadata {
  readonly loads: readonly EmbeddingSpec[];
}

/** How an embedding was loaded, for the job's record. Milliseconds. */
export interface LoadReport {
  readonly mmHash: string;
  readonly tier: string;
  readonly loadMs: number;
  readonly bytes: number;
}

/** How an embedding was saved, for the announcement. */
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
  /** mm_hashes whose load found no usable embedding; they must be looked up, or encoded, again. */
  readonly failedReceiving: ReadonlySet<string>;
  /**
   * Those of `failedReceiving` for which the store was unavailable: the items themselves may be
   * intact.
   */
  readonly unreached?: ReadonlySet<string>;
  readonly reports: readonly LoadReport[];
  /** One for each of `finishedSending`. */
  readonly saves?: readonly SaveReport[];
  /** Saves that did not become durable, with their error. */
  readonly failedSending?: ReadonlyMap<string, unknown>;
}

/**
 * Scheduler side: decides, never touches embeddings. The engine's scheduler calls it from one
 * thread, and only between steps; no method but `lookUp` waits for the network or throws on network
 * errors.
 *
 * In a step: `ensureCacheAvailable` and `hasCacheItem` while requests are scheduled,
 * `updateStateAfterAlloc` for items that got memory, `buildConnectorMeta` once, and after the step
 * `updateConnectorOutput` once, then `takeUnavailableRequests`.
 */
export interface ECSchedulerConnector {
  /**
   * Whether the item is known to be loadable now. The scheduling loop asks per item, after the
   * engine found that its encoder cache lacks the item and has room for it. Answers from what is
   * known about items that a request needs; for others the answer is no. True is not a guarantee: a
   * load may still find the item gone.
   */
  hasCacheItem(mmHash: string): boolean;
  /**
   * For a waiting request, at every attempt to schedule it: ensures that the items its prompt needs
   * past `numComputedTokens` are or become available (registers interest, looks them up, requests
   * an encode). True when all are known to be available. False defers the request and never fails
   * it; the engine may also start it and stop before the first missing item.
   */
  ensureCacheAvailable(request: ECRequest, numComputedTokens: number): boolean;
  /**
   * Records that memory was reserved in the encoder cache for `request.features[index]`, which will
   * be loaded (consumer) or encoded here (producer). The engine must not evict the item before it
   * is reported as received or failed. Recording an item in transfer again changes nothing.
   */
  updateStateAfterAlloc(request: ECRequest, index: number): void;
  /** Once per step, after scheduling: what to load. Empties the pending list. */
  buildConnectorMeta(): ECConnectorMetadata;
  /**
   * Once per step, with the report of the worker side. An item in `failedReceiving` is unknown
   * again and is looked up again; the engine frees its memory, and reserves it again when the item
   * is available.
   */
  updateConnectorOutput(output: ECConnectorOutput): void;
  /**
   * The request has ended in any way. Call it before the request's references to the encoder cache
   * are dropped: it releases its interests and leases, and cancels queued encodes that no other
   * request needs. Called once; loads in flight still arrive.
   */
  requestFinished(request: ECRequest): void;
  /**
   * Requests that can never be served (an image failed permanently), with the reason. The engine
   * fails only these, and calls `requestFinished` for each. Each is returned once.
   */
  takeUnavailableRequests(): ReadonlyMap<string, { mmHash: string; error: ItemError }>;
  /**
   * True while the engine must keep stepping without requests because saves are not durable yet.
   */
  hasPendingPushWork(): boolean;
  /**
   * Producer, before it encodes an item: whether the item is already where consumers load it from.
   * The only method that waits for the network and throws `StoreUnavailableError`. Not for a
   * scheduling loop.
   */
  lookUp(mmHash: string): Promise<boolean>;
  /**
   * Calls back whenever the answer of one of the methods above, or of the worker side's
   * `getFinished`, may have changed. The listener must only record the call: any of these methods
   * may call it.
   */
  onProgress(listener: () => void): void;
}

/**
 * Worker side: moves embeddings, decides nothing. The runner of a step calls it from the thread
 * that owns the encoder cache: bind, start loads, work, get finished transfers, clear (see
 * `withConnectorStep`). Only `waitForSave` throws on errors of a peer or the store.
 */
export interface ECWorkerConnector {
  /** Once, before the first step: the cache that loads fill and saves read. Its owner may evict. */
  registerCaches(cache: EncoderCache): void;
  /**
   * Before a step: the metadata that the scheduler side built for it. The previous step's must have
   * been cleared.
   */
  bindConnectorMetadata(metadata: ECConnectorMetadata): void;
  /** After a step, whether it succeeded or not. */
  clearConnectorMetadata(): void;
  /**
   * Consumer: starts the loads named in the bound metadata. Returns at once; a later `getFinished`
   * reports each item, which is in the cache by then. Does nothing for a producer.
   */
  startLoadCaches(): void;
  /**
   * Producer: starts saving `cache[mmHash]`, which must exist; it may be evicted meanwhile, but its
   * bytes must not change. Called for each encoded item, and again for one that the store lost.
   * Returns at once. Does nothing for a consumer.
   */
  saveCaches(mmHash: string): void;
  /**
   * Producer, before an item is announced: resolves when every save started since the last call is
   * durable; rejects with the first failure once all have ended. `getFinished` reports them
   * individually.
   */
  waitForSave(): Promise<void>;
  /**
   * At the end of every step: what has finished since the last call. Each item is reported once.
   */
  getFinished(): ECConnectorOutput;
  /** Once, at the end: aborts loads, and resolves when pending saves are durable. */
  shutdown(): Promise<void>;
}
