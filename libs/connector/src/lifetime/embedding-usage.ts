import type { Redis } from 'ioredis';
import type { RedisScript } from '../redis-script.ts';
import { serverTimeMs } from '../server-clock.ts';
import { usageKey } from './usage-keys.ts';
import {
  claimScript,
  endLeaseScript,
  extendLeaseScript,
  leaseScript,
  recordScript,
  touchScript,
} from './usage-scripts.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * A use is recorded at most once per this interval, item and process: last use need not be exact.
 */
const TOUCH_EVERY_MS = MINUTE_MS;
/** Items whose last recorded use this process remembers. */
const MAX_REMEMBERED = 10_000;

export interface EmbeddingLabels {
  readonly model?: string | undefined;
  readonly tenant?: string | undefined;
}

export interface UsageEntry extends EmbeddingLabels {
  readonly mmHash: string;
  readonly bytes: number;
  /** Milliseconds since the epoch, by Redis's clock. */
  readonly lastUsedAtMs: number;
}

export interface EmbeddingUsageOptions {
  readonly redis: Redis;
  readonly prefix: string;
  /**
   * Expiry of a lease that is not renewed: bounds what a vanished job can hold. @default 30 minutes
   */
  readonly leaseTtlMs?: number;
}

/**
 * The usage index: what is stored, its size, its last use, and its leases. It is in Redis, beside
 * the store, and may lose entries; the sweeper restores them from the store's listing. All times
 * are by Redis's clock; callers compare them with `nowMs`.
 */
export class EmbeddingUsage {
  readonly #redis: Redis;
  readonly #key: (name: string, mmHash?: string) => string;
  readonly #leaseTtlMs: number;
  readonly #touchedAtMs = new Map<string, number>();

  constructor(options: EmbeddingUsageOptions) {
    this.#redis = options.redis;
    this.#key = (name, mmHash) => usageKey(options.prefix, name, mmHash);
    this.#leaseTtlMs = options.leaseTtlMs ?? 30 * MINUTE_MS;
  }

  nowMs(): Promise<number> {
    return serverTimeMs(this.#redis);
  }

  /** Records that the item was saved. */
  async record(mmHash: string, bytes: number): Promise<void> {
    await this.#run(recordScript, mmHash, [mmHash, bytes, '', 0]);
  }

  /**
   * Records that the item was found in the store. Changes nothing when it is known; true when it
   * was not.
   */
  async adopt(mmHash: string, bytes: number, lastUsedAtMs: number): Promise<boolean> {
    const adopted = await this.#run(recordScript, mmHash, [
      mmHash,
      bytes,
      Math.floor(lastUsedAtMs),
      1,
    ]);
    return adopted === 1;
  }

  /** Those of the items that are not in the index. */
  async unknown(mmHashes: readonly string[]): Promise<ReadonlySet<string>> {
    if (mmHashes.length === 0) return new Set();
    const bytes = await this.#redis.hmget(this.#key('bytes'), ...mmHashes);
    return new Set(mmHashes.filter((_, at) => bytes[at] === null));
  }

  /** Records a use of the item. */
  async touch(mmHash: string): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - (this.#touchedAtMs.get(mmHash) ?? -Infinity) < TOUCH_EVERY_MS) return;
    if (this.#touchedAtMs.size >= MAX_REMEMBERED) this.#touchedAtMs.clear();
    this.#touchedAtMs.set(mmHash, nowMs);
    await this.#run(touchScript, mmHash, [mmHash]);
  }

  /**
   * Leases the item for the holder, a live job, whether it is stored yet or not. Never shortens an
   * existing lease.
   */
  async lease(
    mmHash: string,
    holder: string,
    labels: EmbeddingLabels = {},
    ttlMs?: number,
  ): Promise<void> {
    await this.#run(leaseScript, mmHash, this.leaseArguments(holder, labels, ttlMs));
  }

  /** Arguments of scripts that lease: holder, lease ttl, label in JSON or '', label ttl. */
  leaseArguments(
    holder: string,
    { model, tenant }: EmbeddingLabels,
    ttlMs = this.#leaseTtlMs,
  ): [holder: string, ttlMs: number, label: string, labelTtlMs: number] {
    const isLabelled = model !== undefined || tenant !== undefined;
    return [holder, ttlMs, isLabelled ? JSON.stringify({ model, tenant }) : '', DAY_MS];
  }

  /**
   * Extends a short lease to its full time, unless it has ended: a late call does not lease again.
   */
  async extendLease(mmHash: string, holder: string): Promise<void> {
    await this.#run(extendLeaseScript, mmHash, [holder, this.#leaseTtlMs]);
  }

  async endLease(mmHash: string, holder: string): Promise<void> {
    await this.#run(endLeaseScript, mmHash, [holder]);
  }

  /**
   * Claims the item for deletion and removes it from the index, unless it is leased or was used
   * after `notUsedAfterMs`. With `force`, ignores leases.
   */
  async claim(
    mmHash: string,
    options: { readonly notUsedAfterMs?: number; readonly force?: boolean } = {},
  ): Promise<boolean> {
    const args = [mmHash, options.notUsedAfterMs ?? '', options.force ? 1 : 0];
    return (await this.#run(claimScript, mmHash, args)) === 1;
  }

  /** Which of these are in the index, in their order. */
  async known(mmHashes: readonly string[]): Promise<boolean[]> {
    if (mmHashes.length === 0) return [];
    const scores = await this.#redis.zmscore(this.#key('used'), ...mmHashes);
    return scores.map((score) => score !== null);
  }

  async totalBytes(): Promise<number> {
    return Number((await this.#redis.get(this.#key('total'))) ?? 0);
  }

  /** Up to `limit` items last used at or before the given time, least recently used first. */
  async oldest(limit: number, atOrBeforeMs = Number.POSITIVE_INFINITY): Promise<UsageEntry[]> {
    const latest = Number.isFinite(atOrBeforeMs) ? Math.floor(atOrBeforeMs) : '+inf';
    const used = this.#key('used');
    const flat = await this.#redis.zrangebyscore(
      used,
      '-inf',
      latest,
      'WITHSCORES',
      'LIMIT',
      0,
      limit,
    );
    return this.#entries(flat);
  }

  /** Every item, in no order. */
  async *entries(): AsyncIterable<UsageEntry> {
    const scan = this.#redis.zscanStream(this.#key('used'), { count: 500 });
    for await (const flat of scan) yield* await this.#entries(flat as string[]);
  }

  async #entries(flat: readonly string[]): Promise<UsageEntry[]> {
    const items = flat.filter((_, index) => index % 2 === 0);
    if (items.length === 0) return [];
    const [bytes, labels] = await Promise.all([
      this.#redis.hmget(this.#key('bytes'), ...items),
      this.#redis.hmget(this.#key('labels'), ...items),
    ]);
    return items.map((mmHash, index) => {
      const { model, tenant } = JSON.parse(labels[index] ?? '{}') as EmbeddingLabels;
      const lastUsedAtMs = Number(flat[2 * index + 1]);
      return { mmHash, bytes: Number(bytes[index] ?? 0), lastUsedAtMs, model, tenant };
    });
  }

  #run(script: RedisScript, mmHash: string, args: readonly (string | number)[]): Promise<unknown> {
    const ofAll = ['used', 'bytes', 'labels', 'total'].map((name) => this.#key(name));
    const ofOne = ['lease', 'label'].map((name) => this.#key(name, mmHash));
    return script(this.#redis, [...ofAll, ...ofOne], args);
  }
}
