import type { InputRef } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ApiError } from '../../http/errors.ts';
import { fileKeys, forgetFile, recordFile, type FileQuota } from './file-account.ts';

export const PURPOSES = ['vision', 'user_data', 'batch', 'batch_output'] as const;
export type FilePurpose = (typeof PURPOSES)[number];

/** What is known of an uploaded file; its bytes are in the object store under `key`. */
export interface FileRecord {
  readonly id: string;
  readonly tenant: string;
  readonly filename: string;
  readonly purpose: FilePurpose;
  readonly bytes: number;
  readonly createdAtMs: number;
  /** Null: until it is deleted. */
  readonly expiresAtMs: number | null;
  readonly key: string;
  /** The picture's header. */
  readonly picture: InputRef | null;
}

/** Keys scanned per round trip: Redis is blocked for well below a millisecond. */
const SCAN_COUNT = 1000;

const NO_QUOTA: FileQuota = { files: 0, bytes: 0 };

interface FilePage {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after?: string | undefined;
  readonly purpose?: FilePurpose | undefined;
}

/** Records of uploaded files in Redis: one key a file, which may expire, and indexes by time. */
export class FileRecords {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /**
   * Throws `quota_exceeded`. What the fleet itself writes has no quota: a batch's results are not lost for want
   * of room.
   */
  async add(record: FileRecord, quota: FileQuota = NO_QUOTA): Promise<void> {
    const { createdAtMs, expiresAtMs } = record;
    // Redis has another clock.
    const livesMs = expiresAtMs === null ? null : expiresAtMs - createdAtMs;
    const entry = { ...record, livesMs, json: JSON.stringify(record) };
    const exceeded = await recordFile(this.#redis, this.#prefix, entry, quota);
    if (exceeded === null) return;
    const most = exceeded === 'files' ? `${quota.files} files` : `${quota.bytes} bytes of files`;
    throw new ApiError('quota_exceeded', `Expected at most ${most} of a tenant; delete some`);
  }

  /** Null for an unknown file, an expired one, and another tenant's. */
  async find(tenant: string, id: string): Promise<FileRecord | null> {
    const json = await this.#redis.get(this.#record(tenant, id));
    return json === null ? null : (JSON.parse(json) as FileRecord);
  }

  /** Null: `after` names no file of this list, nor one that was in it within the last hour. */
  async list(
    tenant: string,
    { limit, order, after, purpose }: FilePage,
  ): Promise<{ files: FileRecord[]; hasMore: boolean } | null> {
    const { index: all } = fileKeys(this.#prefix, tenant);
    const index = purpose === undefined ? all : `${all}:${purpose}`;
    let start = after === undefined ? 0 : await this.#behind(tenant, index, order, after);
    if (start === null) return null;
    const files: FileRecord[] = [];
    for (;;) {
      const ids = await (order === 'asc'
        ? this.#redis.zrange(index, String(start), String(start + limit))
        : this.#redis.zrevrange(index, start, start + limit));
      for (const id of ids) {
        if (files.length === limit) return { files, hasMore: true };
        const file = await this.find(tenant, id);
        if (file === null) {
          await this.#redis.zrem(index, id); // it has expired, and the others move up
          continue;
        }
        files.push(file);
        start += 1;
      }
      if (ids.length === 0) return { files, hasMore: false };
    }
  }

  /** The rank of the first behind `after`, which may have been deleted. */
  async #behind(
    tenant: string,
    index: string,
    order: FilePage['order'],
    after: string,
  ): Promise<number | null> {
    const rank = await (order === 'asc'
      ? this.#redis.zrank(index, after)
      : this.#redis.zrevrank(index, after));
    if (rank !== null) return rank + 1;
    const place = await this.#redis.get(fileKeys(this.#prefix, tenant).place(after));
    if (place === null) return null;
    return order === 'asc'
      ? this.#redis.zcount(index, '-inf', `(${place}`)
      : this.#redis.zcount(index, `(${place}`, '+inf');
  }

  /** Keys in the object store of all files, whosever they are: walks through the whole of Redis. */
  async *keys(): AsyncIterable<string> {
    const scan = this.#redis.scanStream({ match: this.#record('*', '*'), count: SCAN_COUNT });
    for await (const page of scan) {
      const names = page as string[];
      const records = names.length === 0 ? [] : await this.#redis.mget(names);
      for (const json of records) if (json !== null) yield (JSON.parse(json) as FileRecord).key;
    }
  }

  async remove(file: FileRecord): Promise<void> {
    await forgetFile(this.#redis, this.#prefix, file);
  }

  #record(tenant: string, id: string): string {
    return fileKeys(this.#prefix, tenant).record(id);
  }
}
