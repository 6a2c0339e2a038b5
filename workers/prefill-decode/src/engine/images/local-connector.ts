import type {
  ECConnectorMetadata,
  ECConnectorOutput,
  ECRequest,
  ECSchedulerConnector,
  ECWorkerConnector,
  Embedding,
  EmbeddingSpec,
  EncoderCache,
  LoadReport,
} from '@epd/connector';

const NONE: ReadonlySet<string> = new Set();

/**
 * Both sides of the connector over embeddings in this process: for engines without a fleet, as in
 * tests and benchmarks. An item that is put later is announced like a completed encode.
 */
export class LocalConnector implements ECSchedulerConnector, ECWorkerConnector {
  readonly #items: Map<string, Embedding>;
  readonly #listeners: (() => void)[] = [];
  readonly #asked = new Set<string>();
  #cache: EncoderCache = new Map();
  #pending: EmbeddingSpec[] = [];
  #bound: readonly EmbeddingSpec[] = [];
  #received: LoadReport[] = [];

  constructor(items: ReadonlyMap<string, Embedding> = new Map()) {
    this.#items = new Map(items);
  }

  /** Items that prompts requested and that were missing. */
  get asked(): ReadonlySet<string> {
    return this.#asked;
  }

  put(mmHash: string, embedding: Embedding): void {
    this.#items.set(mmHash, embedding);
    this.#tell();
  }

  /** Removes an item; embeddings that were loaded from it stay loaded. */
  take(mmHash: string): void {
    this.#items.delete(mmHash);
  }

  hasCacheItem(mmHash: string): boolean {
    return this.#items.has(mmHash);
  }

  ensureCacheAvailable(request: ECRequest, numComputedTokens: number): boolean {
    const ahead = request.features.filter(
      ({ offset, length }) => offset + length > numComputedTokens,
    );
    const missing = ahead.filter(({ mmHash }) => !this.#items.has(mmHash));
    for (const { mmHash } of missing) this.#asked.add(mmHash);
    return missing.length === 0;
  }

  updateStateAfterAlloc(request: ECRequest, index: number): void {
    const mmHash = request.features[index]?.mmHash ?? '';
    this.#pending.push({ mmHash, fingerprint: '', width: this.#items.get(mmHash)?.width ?? 0 });
  }

  buildConnectorMeta(): ECConnectorMetadata {
    const loads = this.#pending;
    this.#pending = [];
    return { loads };
  }

  updateConnectorOutput(): void {}

  requestFinished(): void {}

  takeUnavailableRequests(): ReadonlyMap<string, never> {
    return new Map<string, never>();
  }

  hasPendingPushWork(): boolean {
    return false;
  }

  async lookUp(mmHash: string): Promise<boolean> {
    return this.#items.has(mmHash);
  }

  onProgress(listener: () => void): void {
    this.#listeners.push(listener);
  }

  registerCaches(cache: EncoderCache): void {
    this.#cache = cache;
  }

  bindConnectorMetadata(metadata: ECConnectorMetadata): void {
    this.#bound = metadata.loads;
  }

  clearConnectorMetadata(): void {
    this.#bound = [];
  }

  startLoadCaches(): void {
    for (const { mmHash } of this.#bound) {
      const item = this.#items.get(mmHash);
      if (!item) continue;
      this.#cache.set(mmHash, item);
      this.#received.push({ mmHash, tier: 'process', loadMs: 0, bytes: item.data.byteLength });
    }
    if (this.#received.length > 0) this.#tell();
  }

  saveCaches(): void {}

  async waitForSave(): Promise<void> {}

  getFinished(): ECConnectorOutput {
    const reports = this.#received;
    this.#received = [];
    const finishedReceiving = new Set(reports.map(({ mmHash }) => mmHash));
    return { finishedSending: NONE, finishedReceiving, failedReceiving: NONE, reports };
  }

  async shutdown(): Promise<void> {}

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
