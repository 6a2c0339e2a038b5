import type { Redis } from 'ioredis';
import { embeddingKey, mmHashOfKey } from '../keys.ts';
import { NO_METRICS, type ConnectorMetrics } from '../metrics.ts';
import { QUARANTINE_PREFIX } from './quarantine.ts';
import type { ObjectStore } from '../stores/object-store.ts';
import { ElectedTask } from './elected-task.ts';
import type { EmbeddingUsage, UsageEntry } from './embedding-usage.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Longer than any put takes, and than any writer's clock is wrong. */
const LEFTOVER_MS = DAY_MS;
/** Stored items that are looked up in the usage index per round trip. */
const PAGE = 500;
/** Items checked between two checks of the total. */
const BATCH = 100;
/**
 * Above the limit, the store is reduced to this share of it, so that not every save triggers a
 * sweep.
 */
const LOW_WATER = 0.9;

export interface EmbeddingSweeperOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly usage: EmbeddingUsage;
  /** Folder of the embeddings in the store. @default embeddings */
  readonly root?: string;
  /** Embeddings unused for this long are deleted. @default 7 days */
  readonly ttlMs?: number;
  /**
   * Limit of the total size of embeddings; above it the least recently used are deleted. @default
   * none
   */
  readonly maxBytes?: number;
  /** Embeddings used within this time stay, even above the limit. @default 1 minute */
  readonly minIdleMs?: number;
  /** Quarantined objects are kept for this long. @default 7 days */
  readonly quarantineTtlMs?: number;
  /** @default 1 minute */
  readonly intervalMs?: number;
  readonly metrics?: ConnectorMetrics;
  /** Called when an embedding was deleted from the store. @default no callback */
  readonly onRemoved?: (mmHash: string) => void;
  readonly onError?: (error: unknown) => void;
}

interface StoredItem {
  readonly mmHash: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

export interface SweepResult {
  /** Embeddings deleted by age, and by the size limit. */
  readonly expired: number;
  readonly evicted: number;
  /** In the store, but unknown to the index; and vice versa. */
  readonly adopted: number;
  readonly vanished: number;
}

/**
 * Deletes expired embeddings. Of all processes that start a sweeper, the holder of a lock sweeps.
 * It claims an item in the usage index, which refuses items that are leased or were just used, and
 * then deletes it. A request that needed it at that moment finds nothing and has it encoded again.
 */
export class EmbeddingSweeper {
  readonly #options: Required<Omit<EmbeddingSweeperOptions, 'maxBytes'>> & { maxBytes: number };
  readonly #task: ElectedTask<SweepResult>;

  constructor(options: EmbeddingSweeperOptions) {
    this.#options = {
      root: 'embeddings',
      ttlMs: 7 * DAY_MS,
      maxBytes: Number.POSITIVE_INFINITY,
      minIdleMs: MINUTE_MS,
      quarantineTtlMs: 7 * DAY_MS,
      intervalMs: MINUTE_MS,
      metrics: NO_METRICS,
      onRemoved: () => {},
      onError: () => {},
      ...options,
    };
    const { redis, intervalMs, onError } = this.#options;
    const key = `${options.prefix}:ec:sweeper`;
    this.#task = new ElectedTask({ redis, key, intervalMs, onError }, () => this.sweep());
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /** Sweeps if this is the elected one; null if another is. */
  sweepIfElected(): Promise<SweepResult | null> {
    return this.#task.runIfElected();
  }

  /** Sweeps once, elected or not: two concurrent sweepers are harmless, only wasteful. */
  async sweep(): Promise<SweepResult> {
    const { adopted, vanished } = await this.#reconcile();
    const expired = await this.#expire();
    const evicted = await this.#holdBound();
    await this.#emptyQuarantine();
    await this.#options.store.removeLeftovers?.(LEFTOVER_MS);
    return { expired, evicted, adopted, vanished };
  }

  /** Synchronizes the index with the store. */
  async #reconcile(): Promise<{ adopted: number; vanished: number }> {
    const { store, usage, root } = this.#options;
    const startedAtMs = await usage.nowMs();
    const stored = new Set<string>();
    let adopted = 0;
    let page: StoredItem[] = [];
    for await (const { key, bytes, modifiedAtMs } of store.list(root === '' ? '' : `${root}/`)) {
      const mmHash = mmHashOfKey(root, key);
      if (mmHash === null) continue;
      stored.add(mmHash);
      page.push({ mmHash, bytes, modifiedAtMs });
      if (page.length < PAGE) continue;
      adopted += await this.#adopt(page);
      page = [];
    }
    adopted += await this.#adopt(page);
    let vanished = 0;
    for await (const { mmHash, lastUsedAtMs } of usage.entries()) {
      // Embeddings that were saved during the listing may be missing from it.
      if (stored.has(mmHash) || lastUsedAtMs >= startedAtMs - MINUTE_MS) continue;
      if ((await store.stat(this.#key(mmHash))) !== null) continue;
      if (!(await usage.claim(mmHash, { notUsedAfterMs: lastUsedAtMs, force: true }))) continue;
      vanished += 1;
      this.#options.onRemoved(mmHash);
    }
    return { adopted, vanished };
  }

  /** The items of a page that the index does not know: one round trip to Redis per page. */
  async #adopt(page: readonly StoredItem[]): Promise<number> {
    const { usage } = this.#options;
    const unknown = await usage.unknown(page.map(({ mmHash }) => mmHash));
    let adopted = 0;
    for (const { mmHash, bytes, modifiedAtMs } of page) {
      if (unknown.has(mmHash) && (await usage.adopt(mmHash, bytes, modifiedAtMs))) adopted += 1;
    }
    return adopted;
  }

  async #expire(): Promise<number> {
    const { usage, ttlMs } = this.#options;
    const notUsedAfterMs = (await usage.nowMs()) - ttlMs;
    let expired = 0;
    for (let skipped = 0; ;) {
      const entries = (await usage.oldest(skipped + BATCH, notUsedAfterMs)).slice(skipped);
      if (entries.length === 0) return expired;
      for (const entry of entries) {
        if (await this.#remove(entry, notUsedAfterMs, 'expired')) expired += 1;
        else skipped += 1;
      }
    }
  }

  async #holdBound(): Promise<number> {
    const { usage, maxBytes, minIdleMs } = this.#options;
    if ((await usage.totalBytes()) <= maxBytes) return 0;
    const notUsedAfterMs = (await usage.nowMs()) - minIdleMs;
    let evicted = 0;
    for (let skipped = 0; ;) {
      const entries = (await usage.oldest(skipped + BATCH, notUsedAfterMs)).slice(skipped);
      if (entries.length === 0) return evicted;
      for (const entry of entries) {
        if ((await usage.totalBytes()) <= LOW_WATER * maxBytes) return evicted;
        if (await this.#remove(entry, notUsedAfterMs, 'evicted')) evicted += 1;
        else skipped += 1;
      }
    }
  }

  async #remove(entry: UsageEntry, notUsedAfterMs: number, reason: string): Promise<boolean> {
    const { usage, store, metrics, onRemoved } = this.#options;
    if (!(await usage.claim(entry.mmHash, { notUsedAfterMs }))) return false;
    await store.delete(this.#key(entry.mmHash));
    metrics.swept(reason, entry.bytes);
    onRemoved(entry.mmHash);
    return true;
  }

  async #emptyQuarantine(): Promise<void> {
    const { store, usage, quarantineTtlMs } = this.#options;
    const nowMs = await usage.nowMs();
    for await (const { key, modifiedAtMs } of store.list(QUARANTINE_PREFIX)) {
      if (nowMs - modifiedAtMs > quarantineTtlMs) await store.delete(key);
    }
  }

  #key(mmHash: string): string {
    return embeddingKey(this.#options.root, mmHash);
  }
}
