import type { InputRef } from '@epd/connector';
import type { Redis } from 'ioredis';
import { idsAfter } from '../../http/ids-after.ts';

export type FilePurpose = 'vision' | 'user_data' | 'batch' | 'batch_output';

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
  /** For a picture, what its header says. */
  readonly picture: InputRef | null;
}

/** Keys that Redis looks at in one turn: it does nothing else meanwhile, for well below a millisecond. */
const SCAN_COUNT = 1000;

interface FilePage {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after?: string | undefined;
  readonly purpose?: string | undefined;
}

/** Records of uploaded files in Redis: one key a file, which may expire, and an index by time. */
export class FileRecords {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  async add(record: FileRecord): Promise<void> {
    const key = this.#record(record.tenant, record.id);
    const json = JSON.stringify(record);
    const write = this.#redis.multi();
    if (record.expiresAtMs === null) write.set(key, json);
    else write.set(key, json, 'PX', record.expiresAtMs - record.createdAtMs); // Redis has another clock
    await write.zadd(this.#index(record.tenant), record.createdAtMs, record.id).exec();
  }

  /** Null for an unknown file, an expired one, and another tenant's. */
  async find(tenant: string, id: string): Promise<FileRecord | null> {
    const json = await this.#redis.get(this.#record(tenant, id));
    return json === null ? null : (JSON.parse(json) as FileRecord);
  }

  /** Throws `invalid_value` where `after` is no file of the tenant's. */
  async list(tenant: string, page: FilePage): Promise<{ files: FileRecord[]; hasMore: boolean }> {
    const index = this.#index(tenant);
    const expired: string[] = [];
    const files: FileRecord[] = [];
    for await (const id of idsAfter(this.#redis, index, page)) {
      if (files.length > page.limit) break;
      const file = await this.find(tenant, id);
      if (file === null) expired.push(id);
      else if (page.purpose === undefined || page.purpose === file.purpose) files.push(file);
    }
    if (expired.length > 0) await this.#redis.zrem(index, ...expired);
    return { files: files.slice(0, page.limit), hasMore: files.length > page.limit };
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

  async remove({ tenant, id }: FileRecord): Promise<void> {
    await this.#redis.multi().del(this.#record(tenant, id)).zrem(this.#index(tenant), id).exec();
  }

  #record(tenant: string, id: string): string {
    return `${this.#prefix}:file:${tenant}:${id}`;
  }

  #index(tenant: string): string {
    return `${this.#prefix}:files:${tenant}`;
  }
}
