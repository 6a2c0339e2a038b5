import type { CompletionReader } from '../encodes/completion-events.ts';
import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import type { EmbeddingSpec } from '../embedding.ts';
import type { EncodeRequester } from '../encodes/encode-requester.ts';
import type { CompletionEvent, ItemError } from '../messages.ts';
import type {
  ECConnectorMetadata,
  ECConnectorOutput,
  ECRequest,
  ECRole,
  ECSchedulerConnector,
  MultiModalFeature,
} from './ec-connector.ts';
import { ItemLooker } from './item-looker.ts';
import type { ProgressSignal } from './progress-signal.ts';
import { trackedItem, unusableError, type Interest, type TrackedItem } from './tracked-item.ts';
import { isConsumer } from './transfer-config.ts';

export interface StoreECSchedulerOptions {
  readonly ecRole: ECRole;
  readonly embeddings: EmbeddingStore;
  readonly fingerprint: string;
  readonly width: number;
  readonly requester?: EncodeRequester;
  /** @default true */
  readonly releasesWaiters?: boolean;
  readonly events?: CompletionReader;
  readonly lookAgainMs: number;
  readonly maxFailedLoads: number;
  readonly progress: ProgressSignal;
  /** Whether the encoder cache of this process has the item. */
  readonly isHeld: (mmHash: string) => boolean;
  readonly onError?: (error: unknown) => void;
}

/**
 * Scheduler side. It registers interest first, then checks the store, then trusts events, and polls
 * for unknown items every `lookAgainMs`: any loss (of an event, a queued job, a flight, the stored
 * object) only costs that time.
 */
export class StoreECScheduler implements ECSchedulerConnector {
  readonly #options: StoreECSchedulerOptions;
  readonly #isConsumer: boolean;
  readonly #looker: ItemLooker;
  readonly #items = new Map<string, TrackedItem>();
  readonly #background = new Set<Promise<void>>();
  readonly #unsubscribe: () => void;
  #pendingLoads = new Map<string, EmbeddingSpec>();
  readonly #pendingSends = new Set<string>();
  #unavailable = new Map<string, { mmHash: string; error: ItemError }>();
  #timer: NodeJS.Timeout | null = null;
  #isShutDown = false;

  constructor(options: StoreECSchedulerOptions) {
    this.#options = options;
    this.#isConsumer = isConsumer(options);
    this.#looker = new ItemLooker(options);
    this.#unsubscribe = options.events?.subscribe((event) => this.#onEvent(event)) ?? (() => {});
  }

  hasCacheItem(mmHash: string): boolean {
    return this.#items.get(mmHash)?.available ?? false;
  }

  ensureCacheAvailable(request: ECRequest, numComputedTokens: number): boolean {
    // It has failed already; its owner will be told soon.
    if (this.#unavailable.has(request.id)) return false;
    let all = true;
    for (const feature of request.features) {
      if (feature.offset + feature.length <= numComputedTokens) continue;
      all = this.#want(request.id, feature).available && all;
    }
    return all;
  }

  /**
   * A consumer records a load; a producer, and a process that is both and will encode itself,
   * records a save.
   */
  updateStateAfterAlloc(request: ECRequest, index: number): void {
    const feature = request.features[index];
    if (!feature) throw new TypeError(`Request ${request.id} has no feature ${index}`);
    const item = this.#want(request.id, feature);
    if (!this.#isConsumer || (this.#options.ecRole === 'ec_both' && !item.available)) {
      this.#pendingSends.add(feature.mmHash);
    } else if (!item.isLoading) {
      this.#pendingLoads.set(feature.mmHash, item.spec);
    }
  }

  buildConnectorMeta(): ECConnectorMetadata {
    const loads = [...this.#pendingLoads.values()];
    this.#pendingLoads = new Map();
    for (const { mmHash } of loads) {
      const item = this.#items.get(mmHash);
      if (item) item.isLoading = true;
    }
    return { loads };
  }

  updateConnectorOutput(output: ECConnectorOutput): void {
    for (const mmHash of output.finishedReceiving) this.#onLoaded(mmHash);
    for (const mmHash of output.failedReceiving) {
      this.#onLoadFailed(mmHash, output.unreached?.has(mmHash) ?? false);
    }
    for (const mmHash of output.failedSending?.keys() ?? []) this.#pendingSends.delete(mmHash);
    for (const mmHash of output.finishedSending) {
      this.#pendingSends.delete(mmHash);
      this.#markAvailable(this.#items.get(mmHash));
    }
  }

  requestFinished(request: ECRequest): void {
    for (const { mmHash, encode } of request.features) {
      const item = this.#items.get(mmHash);
      item?.interests.delete(request.id);
      if (item?.interests.size === 0) this.#items.delete(mmHash);
      const { requester, releasesWaiters = true } = this.#options;
      if (requester && releasesWaiters && this.#isConsumer) {
        this.#inBackground(() => requester.release(mmHash, request.id, encode.model));
      }
    }
    this.#unavailable.delete(request.id);
    if (this.#items.size === 0) this.#stopClock();
  }

  takeUnavailableRequests(): ReadonlyMap<string, { mmHash: string; error: ItemError }> {
    const taken = this.#unavailable;
    this.#unavailable = new Map();
    return taken;
  }

  hasPendingPushWork(): boolean {
    return this.#pendingSends.size > 0;
  }

  onProgress(listener: () => void): void {
    this.#options.progress.on(listener);
  }

  lookUp(mmHash: string): Promise<boolean> {
    return this.#options.embeddings.has({ mmHash });
  }

  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    this.#unsubscribe();
    this.#stopClock();
    await Promise.all(this.#background);
  }

  #want(requestId: string, feature: MultiModalFeature): TrackedItem {
    const item = this.#items.get(feature.mmHash) ?? this.#track(feature);
    if (item.interests.has(requestId)) return item;
    const { generation = null, stored = false } = feature;
    item.interests.set(requestId, { requestId, generation });
    const isLeased = stored || generation !== null; // when it was accepted
    if (!item.available) this.#lookSoon(item);
    else if (!isLeased) this.#hold(requestId, item);
    return item;
  }

  #track(feature: MultiModalFeature): TrackedItem {
    const { mmHash, rows, encode, stored = false } = feature;
    const { fingerprint, width, isHeld } = this.#options;
    const item = trackedItem({ mmHash, fingerprint, width, rows }, encode);
    // Trusted without a check: if the store has lost it, the load fails and a check follows.
    item.available = this.#isConsumer && (stored || isHeld(mmHash));
    this.#items.set(mmHash, item);
    return item;
  }

  #hold(requestId: string, item: TrackedItem): void {
    const { requester, releasesWaiters = true } = this.#options;
    if (!requester || !this.#isConsumer) return;
    this.#inBackground(async () => {
      await requester.hold(item.job, requestId);
      // A server without the script is sent it again: a release may have overtaken the lease.
      if (releasesWaiters && !item.interests.has(requestId))
        await requester.release(item.spec.mmHash, requestId, item.job.model);
    });
  }

  #onEvent(event: CompletionEvent): void {
    const item = this.#items.get(event.mmHash);
    if (!item || item.available) return;
    // Only the flight knows which generation failed.
    if (event.outcome === 'stored') this.#markAvailable(item);
    else this.#lookSoon(item);
  }

  #onLoaded(mmHash: string): void {
    const item = this.#items.get(mmHash);
    if (!item) return;
    item.isLoading = false;
    item.failedLoads = 0;
    item.available = true;
  }

  /** An unavailable store says nothing about the item: it is polled again at the next interval. */
  #onLoadFailed(mmHash: string, unreached: boolean): void {
    const item = this.#items.get(mmHash);
    if (!item) return;
    item.isLoading = false;
    item.available = false;
    if (unreached) return this.#startClock();
    item.failedLoads += 1;
    if (item.failedLoads < this.#options.maxFailedLoads) return this.#lookSoon(item);
    this.#fail(item, [...item.interests.values()], unusableError(item.failedLoads));
    item.failedLoads = 0;
  }

  #markAvailable(item: TrackedItem | undefined): void {
    if (!item || item.available) return;
    item.available = true;
    this.#options.progress.emit();
  }

  #fail(item: TrackedItem, interests: readonly Interest[], error: ItemError): void {
    for (const { requestId } of interests) {
      item.interests.delete(requestId);
      this.#unavailable.set(requestId, { mmHash: item.spec.mmHash, error });
    }
    if (item.interests.size === 0) this.#items.delete(item.spec.mmHash);
    this.#options.progress.emit();
  }

  #lookSoon(item: TrackedItem): void {
    item.mustLookAgain = true;
    this.#startClock();
    if (item.isLooking || this.#isShutDown) return;
    item.isLooking = true;
    this.#inBackground(async () => {
      try {
        while (item.mustLookAgain && !item.available && item.interests.size > 0) {
          item.mustLookAgain = false;
          await this.#look(item);
        }
      } finally {
        item.isLooking = false;
      }
    });
  }

  async #look(item: TrackedItem): Promise<void> {
    const { available, failures } = await this.#looker.look(item);
    if (available) this.#markAvailable(item);
    for (const { interests, error } of failures) this.#fail(item, interests, error);
  }

  /** The timer runs while any item is missing, and stops by itself otherwise. */
  #startClock(): void {
    if (this.#isShutDown) return;
    this.#timer ??= setInterval(() => this.#lookAgain(), this.#options.lookAgainMs);
  }

  #stopClock(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #lookAgain(): void {
    const unknown = [...this.#items.values()].filter((item) => !item.available);
    if (unknown.length === 0) this.#stopClock();
    for (const item of unknown) this.#lookSoon(item);
  }

  /** A failed check is repeated at the next poll; only its reason is reported. */
  #inBackground(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => this.#options.onError?.(error))
      .finally(() => this.#background.delete(running));
    this.#background.add(running);
  }
}
