import assert from 'node:assert/strict';
import type { EmbeddingStore } from '../embeddings/embedding-store.ts';
import type { EmbeddingSpec } from '../embedding.ts';
import { StoreUnavailableError } from '../errors.ts';
import type {
  ECConnectorMetadata,
  ECConnectorOutput,
  ECRole,
  ECWorkerConnector,
  EncoderCache,
  LoadReport,
  SaveReport,
} from './ec-connector.ts';
import type { ProgressSignal } from './progress-signal.ts';
import { Semaphore } from '../semaphore.ts';
import { isConsumer, isProducer } from './transfer-config.ts';

export interface StoreECWorkerOptions {
  readonly ecRole: ECRole;
  readonly embeddings: EmbeddingStore;
  readonly fingerprint: string;
  readonly maxConcurrentLoads: number;
  readonly maxConcurrentSaves: number;
  readonly progress: ProgressSignal;
  readonly onError?: (error: unknown) => void;
}

/** Worker side: moves embeddings between the encoder cache and the store, in the background. */
export class StoreECWorker implements ECWorkerConnector {
  readonly #options: StoreECWorkerOptions;
  readonly #isProducer: boolean;
  readonly #isConsumer: boolean;
  readonly #loadSlots: Semaphore;
  readonly #saveSlots: Semaphore;
  readonly #loads = new Map<string, Promise<void>>();
  readonly #saves = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  /** Saves started since the last call of `waitForSave`, which reports each of them. */
  #unawaitedSaves: Promise<void>[] = [];
  #cache: EncoderCache | null = null;
  #metadata: ECConnectorMetadata | null = null;
  #output = emptyOutput();

  constructor(options: StoreECWorkerOptions) {
    this.#options = options;
    this.#isProducer = isProducer(options);
    this.#isConsumer = isConsumer(options);
    this.#loadSlots = new Semaphore(options.maxConcurrentLoads);
    this.#saveSlots = new Semaphore(options.maxConcurrentSaves);
  }

  registerCaches(cache: EncoderCache): void {
    assert(this.#cache === null, 'The encoder cache was already registered');
    this.#cache = cache;
  }

  bindConnectorMetadata(metadata: ECConnectorMetadata): void {
    assert(this.#metadata === null, 'The metadata of the last step was not cleared');
    this.#metadata = metadata;
  }

  clearConnectorMetadata(): void {
    this.#metadata = null;
  }

  /** Whether the encoder cache has the item now. */
  holds(mmHash: string): boolean {
    return this.#cache?.has(mmHash) ?? false;
  }

  startLoadCaches(): void {
    assert(this.#metadata !== null, 'Loads need the metadata of a step');
    if (!this.#isConsumer) return;
    for (const spec of this.#metadata.loads) this.#startLoad(spec);
  }

  /** An item that is being saved is not saved again; one that was saved before costs one check. */
  saveCaches(mmHash: string): void {
    if (!this.#isProducer || this.#saves.has(mmHash)) return;
    const embedding = this.#registered().get(mmHash);
    assert(embedding !== undefined, `The encoder cache does not hold ${mmHash}`);
    const save = this.#saveSlots
      .run(async () => {
        const startedAt = performance.now();
        const { bytes, etag } = await this.#options.embeddings.save(
          mmHash,
          this.#options.fingerprint,
          embedding,
        );
        this.#output.saves.push({ mmHash, bytes, etag, saveMs: performance.now() - startedAt });
        this.#output.finishedSending.add(mmHash);
      })
      .catch((error: unknown) => {
        this.#output.failedSending.set(mmHash, error);
        throw error;
      })
      .finally(() => {
        this.#saves.delete(mmHash);
        this.#options.progress.emit();
      });
    this.#saves.set(mmHash, save);
    this.#unawaitedSaves.push(save);
    // `getFinished` and `waitForSave` report the failure; no caller may be waiting yet.
    save.catch(() => {});
  }

  async waitForSave(): Promise<void> {
    const saves = this.#unawaitedSaves;
    this.#unawaitedSaves = [];
    const outcomes = await Promise.allSettled(saves);
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
  }

  getFinished(): ECConnectorOutput {
    const output = this.#output;
    this.#output = emptyOutput();
    return output;
  }

  async shutdown(): Promise<void> {
    this.#stopped.abort();
    await Promise.allSettled([...this.#saves.values(), ...this.#loads.values()]);
  }

  #startLoad(spec: EmbeddingSpec): void {
    const { mmHash } = spec;
    if (this.#loads.has(mmHash)) return;
    const held = this.#registered().get(mmHash);
    if (held) {
      this.#received({ mmHash, tier: 'encoder_cache', loadMs: 0, bytes: held.data.byteLength });
      return;
    }
    const load = this.#loadSlots
      .run(() => this.#load(spec))
      .catch((error: unknown) => {
        this.#output.failedReceiving.add(mmHash);
        if (error instanceof StoreUnavailableError) this.#output.unreached.add(mmHash);
        else this.#options.onError?.(error);
      })
      .finally(() => {
        this.#loads.delete(mmHash);
        this.#options.progress.emit();
      });
    this.#loads.set(mmHash, load);
  }

  async #load(spec: EmbeddingSpec): Promise<void> {
    const startedAt = performance.now();
    const { signal } = this.#stopped;
    signal.throwIfAborted();
    const loaded = await this.#options.embeddings.load(spec, { signal });
    if (!loaded) {
      this.#output.failedReceiving.add(spec.mmHash);
      return;
    }
    this.#registered().set(spec.mmHash, loaded.embedding);
    const loadMs = performance.now() - startedAt;
    this.#received({ mmHash: spec.mmHash, tier: loaded.tier, loadMs, bytes: loaded.bytes });
  }

  #received(report: LoadReport): void {
    this.#output.finishedReceiving.add(report.mmHash);
    this.#output.reports.push(report);
  }

  #registered(): EncoderCache {
    assert(this.#cache !== null, 'The encoder cache must be registered before the first step');
    return this.#cache;
  }
}

const emptyOutput = () => ({
  finishedSending: new Set<string>(),
  finishedReceiving: new Set<string>(),
  failedReceiving: new Set<string>(),
  unreached: new Set<string>(),
  failedSending: new Map<string, unknown>(),
  reports: [] as LoadReport[],
  saves: [] as SaveReport[],
});
