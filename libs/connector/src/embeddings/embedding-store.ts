import { embeddingFileParts, readEmbeddingFile } from './embedding-file.ts';
import type { Embedding, EmbeddingSpec } from '../embedding.ts';
import { ObjectTooLargeError, SafetensorsError } from '../errors.ts';
import { embeddingKey } from '../keys.ts';
import type { EmbeddingUsage } from '../lifetime/embedding-usage.ts';
import { NO_METRICS, type ConnectorMetrics } from '../metrics.ts';
import { bytesOf } from '../stores/object-body.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { quarantine } from '../lifetime/quarantine.ts';
import { sharedBytes, toSharedBytes } from '../shared-bytes.ts';
import { TieredStore, type TieredRead } from '../stores/tiered-store.ts';

export interface EmbeddingStoreOptions {
  readonly store: ObjectStore;
  /** Folder of the embeddings in the store; empty for vLLM's own layout. @default embeddings */
  readonly root?: string;
  /** Larger objects are never read. @default 256 MiB, far above a legitimate one */
  readonly maxBytes?: number;
  /** Use files without our metadata, which cannot be verified: vLLM's own. @default false */
  readonly acceptForeign?: boolean;
  /** Keep a copy of unusable objects below `quarantine/`. @default true */
  readonly keepQuarantined?: boolean;
  /** Records what is stored and when it was used. @default none */
  readonly usage?: EmbeddingUsage;
  readonly metrics?: ConnectorMetrics;
  /**
   * Key that tags saved embeddings and that loaded ones must be tagged with, for stores that others
   * can write to. All processes must have the same key. @default none: then tags only detect damage
   */
  readonly secret?: string | undefined;
  /** Called for every object that was quarantined. */
  readonly onQuarantine?: (mmHash: string, reason: string) => void;
}

export interface SaveResult {
  /** Of the stored file. */
  readonly bytes: number;
  readonly etag: string;
  /** False when an intact one existed already. */
  readonly created: boolean;
}

export interface LoadResult {
  /** Its data is in memory that threads can share. */
  readonly embedding: Embedding;
  /** The tier that had it; `store` if there is only one. */
  readonly tier: string;
  readonly bytes: number;
}

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

/** Header, metadata and one number: a smaller object holds no embedding. */
const MIN_FILE_BYTES = 64;

/**
 * Maximum bad copies that one load removes from caches; a cache that cannot delete must not block
 * it.
 */
const MAX_CACHED_COPIES = 4;

/**
 * Embeddings above an object store. `load` returns exactly what its key names: right content, right
 * model, right shape, undamaged. Anything else is a miss with a reason, and is quarantined so that
 * the item can be encoded again. These methods throw only `StoreUnavailableError`.
 */
export class EmbeddingStore {
  readonly #store: ObjectStore;
  readonly #root: string;
  readonly #maxBytes: number;
  readonly #acceptForeign: boolean;
  readonly #secret: string | undefined;
  readonly #keepQuarantined: boolean;
  readonly #usage: EmbeddingUsage | undefined;
  readonly #metrics: ConnectorMetrics;
  readonly #onQuarantine: (mmHash: string, reason: string) => void;

  constructor(options: EmbeddingStoreOptions) {
    this.#store = options.store;
    this.#root = options.root ?? 'embeddings';
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#acceptForeign = options.acceptForeign ?? false;
    this.#secret = options.secret;
    this.#keepQuarantined = options.keepQuarantined ?? true;
    this.#usage = options.usage;
    this.#metrics = options.metrics ?? NO_METRICS;
    this.#onQuarantine = options.onQuarantine ?? (() => {});
  }

  /** Whether every process can read the item. Checks the durable store, not the content. */
  async has({ mmHash }: Pick<EmbeddingSpec, 'mmHash'>): Promise<boolean> {
    const stat = await this.#store.stat(this.#key(mmHash));
    const found = stat !== null && (stat.bytes ?? MIN_FILE_BYTES) >= MIN_FILE_BYTES;
    if (found) {
      this.#metrics.hit('store');
      this.#note((usage) => usage.touch(mmHash));
    } else {
      this.#metrics.miss('absent');
    }
    return found;
  }

  /** Whether a cache of this process has the item, regardless of the durable store. */
  async isCached({ mmHash }: Pick<EmbeddingSpec, 'mmHash'>): Promise<boolean> {
    if (!(this.#store instanceof TieredStore)) return false;
    const found = await this.#store.isCached(this.#key(mmHash));
    if (found) this.#metrics.hit('cache');
    return found;
  }

  /** Durable when it resolves. Saving an existing item is cheap and changes nothing. */
  async save(mmHash: string, fingerprint: string, embedding: Embedding): Promise<SaveResult> {
    const startedAt = performance.now();
    const key = this.#key(mmHash);
    const file = embeddingFileParts(mmHash, fingerprint, embedding, this.#secret);
    const bytes = bytesOf(file);
    let result = await this.#store.put(key, file, { onlyIfAbsent: true, canBeRemade: true });
    if (!result.created && !(await this.#isSound({ ...embedding, mmHash, fingerprint }))) {
      result = await this.#store.put(key, file, { canBeRemade: true });
    }
    this.#note((usage) => usage.record(mmHash, bytes));
    this.#metrics.saved(bytes, performance.now() - startedAt);
    return { bytes, ...result };
  }

  /** Null: there is no usable embedding, and no object that prevents saving it again. */
  async load(
    spec: EmbeddingSpec,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<LoadResult | null> {
    const startedAt = performance.now();
    for (let copies = 0; copies <= MAX_CACHED_COPIES; copies += 1) {
      const found = await this.#read(spec, options.signal);
      if (found.outcome === 'absent') return this.#miss('absent');
      if (found.outcome === 'loaded') {
        const { embedding, tier, bytes } = found;
        this.#note((usage) => usage.touch(spec.mmHash));
        this.#metrics.loaded(tier, bytes, performance.now() - startedAt);
        return { embedding: { ...embedding, data: toSharedBytes(embedding.data) }, tier, bytes };
      }
      if (await this.#dropFromCache(spec.mmHash, found.tier)) continue;
      await this.#putAside(spec, found.reason);
      return this.#miss(found.reason);
    }
    return this.#miss('cache');
  }

  async delete(mmHash: string): Promise<void> {
    await this.#store.delete(this.#key(mmHash));
  }

  async #read(spec: EmbeddingSpec, signal?: AbortSignal): Promise<ReadOutcome> {
    let tier = 'store';
    try {
      const read = await this.#get(this.#key(spec.mmHash), signal);
      if (!read) return { outcome: 'absent' };
      tier = read.tier;
      const options = { acceptForeign: this.#acceptForeign, secret: this.#secret };
      const embedding = readEmbeddingFile(read.body, spec, options);
      return { outcome: 'loaded', embedding, tier, bytes: read.body.byteLength };
    } catch (error) {
      if (error instanceof SafetensorsError) return { outcome: 'bad', tier, reason: error.reason };
      if (error instanceof ObjectTooLargeError)
        return { outcome: 'bad', tier, reason: 'too_large' };
      throw error;
    }
  }

  async #get(key: string, signal?: AbortSignal): Promise<TieredRead | null> {
    const limits = { maxBytes: this.#maxBytes, ...(signal ? { signal } : {}) };
    const options = { ...limits, allocate: sharedBytes };
    if (this.#store instanceof TieredStore) return this.#store.getFrom(key, options);
    const body = await this.#store.get(key, options);
    return body && { body, tier: 'store' };
  }

  async #dropFromCache(mmHash: string, tier: string): Promise<boolean> {
    if (!(this.#store instanceof TieredStore)) return false;
    return this.#store.dropFromCache(this.#key(mmHash), tier);
  }

  /** Another process may have replaced it with an intact one: checks once more before removing. */
  async #putAside(spec: EmbeddingSpec, reason: string): Promise<void> {
    const key = this.#key(spec.mmHash);
    const before = await this.#store.stat(key);
    const again = before && (await this.#read(spec));
    if (again?.outcome !== 'bad') return;
    const after = await this.#store.stat(key);
    if (after?.etag !== before?.etag) return;
    await quarantine(this.#store, key, `${spec.mmHash}/${reason}-${Date.now()}`, {
      keepCopy: this.#keepQuarantined,
      maxBytes: this.#maxBytes,
    });
    this.#onQuarantine(spec.mmHash, reason);
  }

  async #isSound(spec: EmbeddingSpec): Promise<boolean> {
    return (await this.#read(spec)).outcome === 'loaded';
  }

  /** The usage index may lag or lose an entry: the sweeper restores it from the store. */
  #note(write: (usage: EmbeddingUsage) => Promise<void>): void {
    if (this.#usage) write(this.#usage).catch(() => {});
  }

  #miss(reason: string): null {
    this.#metrics.miss(reason);
    return null;
  }

  #key(mmHash: string): string {
    return embeddingKey(this.#root, mmHash);
  }
}

type ReadOutcome =
  | { readonly outcome: 'absent' }
  | {
      readonly outcome: 'loaded';
      readonly embedding: Embedding;
      readonly tier: string;
      readonly bytes: number;
    }
  | { readonly outcome: 'bad'; readonly tier: string; readonly reason: string };
