import type { Embedding, EmbeddingDtype, EmbeddingSpec } from '../embedding.ts';
import type { EncodeJob, EncodeTimings, ItemError } from '../messages.ts';

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
  readonly reports: readonly LoadReport[];
  /** One for each of `finishedSending`. */
  readonly saves?: readonly SaveReport[];
  /** Saves that did not become durable, with what was thrown. */
  readonly failedSending?: ReadonlyMap<string, unknown>;
}

/** What the consumer has learned of an item that it waits for. */
export interface ItemArrival {
  readonly mmHash: string;
  readonly dtype: EmbeddingDtype;
  readonly timings?: EncodeTimings;
}

/** Scheduler side: decides, never touches embeddings. Every method returns at once. */
export interface ECSchedulerConnector {
  /** Is the item known to be fetchable now? From what is known; never asks the network. */
  hasCacheItem(mmHash: string): boolean;
  /**
   * For a waiting request: see to it that what its prompt needs past `numComputedTokens` is or
   * becomes available (register interest, look, ask for an encode). True when all is known to be there.
   */
  ensureCacheAvailable(request: ECRequest, numComputedTokens: number): boolean;
  /** After space was reserved in the encoder cache for `request.features[index]`: note it to be loaded. */
  updateStateAfterAlloc(request: ECRequest, index: number): void;
  /** Once per step: what to load. Empties the pending list. */
  buildConnectorMeta(): ECConnectorMetadata;
  /** Once per step, with what the worker side reports. */
  updateConnectorOutput(output: ECConnectorOutput): void;
  /** The request has ended, however: its interests are dropped. */
  requestFinished(request: ECRequest): void;
  /** Requests that can never be served (an image failed for good), with the reason. Taken once. */
  takeUnavailableRequests(): ReadonlyMap<string, { mmHash: string; error: ItemError }>;
  /** True while the engine must keep stepping although no request is left. */
  hasPendingPushWork(): boolean;
  /** Calls back whenever the answer of one of the methods above may have changed. */
  onProgress(listener: () => void): void;
}

/** Worker side: moves embeddings, decides nothing. */
export interface ECWorkerConnector {
  /** Once, before the first step: the cache that loads fill and saves read. */
  registerCaches(cache: EncoderCache): void;
  bindConnectorMetadata(metadata: ECConnectorMetadata): void;
  clearConnectorMetadata(): void;
  /** Consumer: begins the loads named in the bound metadata. Returns at once; see `getFinished`. */
  startLoadCaches(): void;
  /** Producer: begins saving `cache[mmHash]`. Returns at once. */
  saveCaches(mmHash: string): void;
  /** Producer: resolves when every save begun so far is durable; rejects with the first failure. */
  waitForSave(): Promise<void>;
  /** What has finished since the last call. */
  getFinished(): ECConnectorOutput;
  shutdown(): Promise<void>;
}
