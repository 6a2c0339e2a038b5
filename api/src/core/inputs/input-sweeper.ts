import {
  ElectedTask,
  INPUT_PREFIX,
  inputKey,
  isInputKey,
  serverTimeMs,
  type ObjectStore,
} from '@epd/connector';
import type { Redis } from 'ioredis';
import type { InputUsage } from './input-usage.ts';
import { StoreOwner } from './store-owner.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Nothing is stored under these names for so long before its record is written. */
const UNRECORDED_MS = DAY_MS;
/** Images in one command to Redis. */
const BATCH = 500;

export interface InputSweeperOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly usage: InputUsage;
  /** Images that nothing refers to go when they were not used for so long. */
  readonly ttlMs: number;
  /** For so much longer they stay for the records of jobs that have ended. */
  readonly retentionMs: number;
  /** Every key in the store that a live job, or a record that is kept, refers to. */
  readonly references: () => AsyncIterable<string>;
  /** Folders of objects that have a record, or none and then go after a day. @default none */
  readonly recorded?: readonly string[];
  /** A sweep lists all images. @default 1 hour */
  readonly intervalMs?: number;
  readonly onError?: (error: unknown) => void;
}

export interface InputSweepResult {
  /** Images that were deleted, and that a reference kept. */
  readonly expired: number;
  readonly kept: number;
  /** Objects without their record. */
  readonly unrecorded: number;
}

/**
 * Ends the lives of accepted images. One goes when it was not used for its time to live, and nothing
 * refers to it: not a job that waited that long, not an uploaded file. What came into being after the
 * references were read has touched its images before, and a claim refuses those. What a reference
 * kept counts as used, so that it stays long enough after the reference's end too.
 */
export class InputSweeper {
  readonly #options: InputSweeperOptions;
  readonly #task: ElectedTask<InputSweepResult>;
  readonly #owner: StoreOwner;

  constructor(options: InputSweeperOptions) {
    this.#options = options;
    const { redis, intervalMs = HOUR_MS, onError = () => {} } = options;
    this.#owner = new StoreOwner(redis, options.prefix, options.store);
    const key = `${options.prefix}:inputs:sweeper`;
    this.#task = new ElectedTask({ redis, key, intervalMs, onError }, () => this.sweep());
  }

  start(): void {
    this.#task.start();
  }

  stop(): Promise<void> {
    return this.#task.stop();
  }

  /**
   * Sweeps once, elected or not: two concurrent sweepers are harmless, only wasteful. Throws
   * `StoreNotOwnedError`, and then nothing is deleted.
   */
  async sweep(): Promise<InputSweepResult> {
    await this.#owner.assertOurs();
    await this.#adopt();
    const references = new References(this.#options.references);
    const { expired, kept } = await this.#expire(references);
    return { expired, kept, unrecorded: await this.#tidy(references) };
  }

  /** An image without a last use, because Redis lost it, counts as used now. */
  async #adopt(): Promise<void> {
    const { store, usage } = this.#options;
    let found: string[] = [];
    for await (const { key } of store.list(INPUT_PREFIX)) {
      if (isInputKey(key)) found.push(key.slice(INPUT_PREFIX.length));
      if (found.length < BATCH) continue;
      await usage.adopt(found);
      found = [];
    }
    await usage.adopt(found);
  }

  async #expire(references: References): Promise<{ expired: number; kept: number }> {
    const { usage, ttlMs, retentionMs } = this.#options;
    const counts = { expired: 0, kept: 0 };
    for (let waiting = 0; ;) {
      const entries = (await usage.unused(ttlMs, waiting + BATCH)).slice(waiting);
      if (entries.length === 0) return counts;
      for (const { sha256, unusedMs } of entries) {
        if (await references.has(inputKey(sha256))) {
          await usage.keep(sha256);
          counts.kept += 1;
        } else if (unusedMs < ttlMs + retentionMs) waiting += 1;
        else if (await this.#remove(sha256)) counts.expired += 1;
      }
    }
  }

  /** A delete that fails may yet take effect: its mark is left to expire. */
  async #remove(sha256: string): Promise<boolean> {
    const { usage, store, ttlMs, retentionMs } = this.#options;
    if (!(await usage.claim(sha256, ttlMs + retentionMs))) return false;
    await store.delete(inputKey(sha256));
    await usage.deleted(sha256);
    return true;
  }

  async #tidy(references: References): Promise<number> {
    const { redis, store, recorded = [] } = this.#options;
    const oldMs = (await serverTimeMs(redis)) - UNRECORDED_MS;
    let removed = 0;
    for (const folder of recorded) {
      for await (const { key, modifiedAtMs } of store.list(`${folder}/`)) {
        if (modifiedAtMs > oldMs || (await references.has(key))) continue;
        await store.delete(key);
        removed += 1;
      }
    }
    return removed;
  }
}

/** Read once a sweep, and only in one that has something to ask about. */
class References {
  readonly #read: () => AsyncIterable<string>;
  #keys: Promise<Set<string>> | null = null;

  constructor(read: () => AsyncIterable<string>) {
    this.#read = read;
  }

  async has(key: string): Promise<boolean> {
    this.#keys ??= Array.fromAsync(this.#read()).then((keys) => new Set(keys));
    return (await this.#keys).has(key);
  }
}
