import { setTimeout as sleep } from 'node:timers/promises';
import {
  EncoderCacheManager,
  embeddingBytes,
  lastUses,
  toFloat32,
  withConnectorStep,
  type ECConnector,
  type ECConnectorOutput,
  type ECRequest,
  type EncoderCache,
  type ItemError,
} from '../../src/index.ts';

interface Running {
  readonly request: ECRequest;
  /** Items whose embedding it has not used yet. */
  readonly missing: Set<string>;
  readonly resolve: (outcome: 'done' | ItemError) => void;
}

/**
 * The part of a decoder that needs embeddings, and nothing else: it takes steps as an engine does,
 * within a bounded encoder cache, and is done with a request when it has used each of its images.
 */
export class TestConsumer {
  readonly cacheManager: EncoderCacheManager;
  failedLoads = 0;
  readonly #connector: ECConnector;
  readonly #cache: EncoderCache = new Map();
  readonly #running = new Map<string, Running>();
  readonly #stopped = new AbortController();
  readonly #loop: Promise<void>;

  constructor(connector: ECConnector, cacheBytes: number) {
    this.cacheManager = new EncoderCacheManager(cacheBytes);
    this.#connector = connector;
    connector.worker.registerCaches(this.#cache);
    this.#loop = this.#run();
  }

  /** Resolves with the reason when an image could not be had. */
  serve(request: ECRequest): Promise<'done' | ItemError> {
    const missing = new Set(lastUses(request.features).keys());
    return new Promise((resolve) => {
      this.#running.set(request.id, { request, missing, resolve });
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await this.#connector.shutdown();
  }

  async #run(): Promise<void> {
    const { scheduler, worker } = this.#connector;
    while (!this.#stopped.signal.aborted) {
      this.#schedule();
      const metadata = scheduler.buildConnectorMeta();
      const { output } = await withConnectorStep(worker, metadata, () => sleep(2));
      scheduler.updateConnectorOutput(output);
      this.#account(output);
      for (const running of this.#running.values()) this.#use(running);
      for (const [id, { error }] of scheduler.takeUnavailableRequests()) this.#end(id, error);
    }
  }

  #schedule(): void {
    const { scheduler } = this.#connector;
    for (const { request, missing } of this.#running.values()) {
      scheduler.ensureCacheAvailable(request, 0);
      for (const [index, { mmHash, rows }] of request.features.entries()) {
        if (!missing.has(mmHash)) continue;
        if (this.cacheManager.has(mmHash)) this.cacheManager.acquire(mmHash, request.id);
        else if (scheduler.hasCacheItem(mmHash) && this.#reserve(mmHash, rows, request.id)) {
          scheduler.updateStateAfterAlloc(request, index);
        }
      }
    }
  }

  #reserve(mmHash: string, rows: number, requestId: string): boolean {
    const bytes = embeddingBytes(rows, 8, 'F32');
    const evicted = this.cacheManager.reserve(mmHash, bytes, requestId);
    for (const other of evicted ?? []) this.#cache.delete(other);
    return evicted !== null;
  }

  #account({ finishedReceiving, failedReceiving }: ECConnectorOutput): void {
    for (const mmHash of finishedReceiving) {
      this.cacheManager.settle(mmHash, this.#cache.get(mmHash)?.data.byteLength ?? 0);
    }
    for (const mmHash of failedReceiving) this.cacheManager.discard(mmHash);
    this.failedLoads += failedReceiving.size;
    this.cacheManager.checkInvariants();
  }

  #use({ request, missing }: Running): void {
    for (const mmHash of missing) {
      const embedding = this.#cache.get(mmHash);
      if (!embedding || !this.cacheManager.isFilled(mmHash)) continue;
      if (toFloat32(embedding).length === 0) throw new Error('An embedding is empty');
      missing.delete(mmHash);
      this.cacheManager.release(mmHash, request.id);
    }
    if (missing.size === 0) this.#end(request.id, 'done');
  }

  #end(id: string, outcome: 'done' | ItemError): void {
    const running = this.#running.get(id);
    if (!running) return;
    this.#running.delete(id);
    this.cacheManager.releaseAll(id);
    this.#connector.scheduler.requestFinished(running.request);
    running.resolve(outcome);
  }
}
