import { redisScript } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../auth/tenant.ts';
import type { FilePurpose } from './file-records.ts';

/** What was announced, and never changes. */
export interface UploadRecord {
  readonly id: string;
  readonly filename: string;
  readonly bytes: number;
  readonly purpose: FilePurpose;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Of the file that comes of it; null: until it is deleted. */
  readonly fileLivesS: number | null;
}

export interface UploadPart {
  readonly id: string;
  readonly bytes: number;
}

/** KEYS open uploads by when they expire; ARGV id, livesMs, most. 0: there are as many as may be. */
const openScript = redisScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local most = tonumber(ARGV[3])
if most > 0 and redis.call('ZCARD', KEYS[1]) >= most then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** KEYS record, parts; ARGV part, bytes, most bytes, most parts. Says what there would be too much of, or ''. */
const addPartScript = redisScript(`
local livesMs = redis.call('PTTL', KEYS[1])
if livesMs < 0 then return 'gone' end
local total, count = tonumber(ARGV[2]), 1
for _, bytes in ipairs(redis.call('HVALS', KEYS[2])) do
  total, count = total + tonumber(bytes), count + 1
end
if total > tonumber(ARGV[3]) then return 'bytes' end
if count > tonumber(ARGV[4]) then return 'parts' end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], livesMs)
return ''`);

/** Each is an object that a completion reads. */
const MAX_PARTS = 1_000;
const RETRY_S = 60;

/** Open uploads in Redis: a record each, the parts that have come, and how many a tenant has. All of it expires. */
export class UploadRecords {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor(redis: Redis, prefix: string) {
    this.#redis = redis;
    this.#prefix = prefix;
  }

  /** Throws `too_many_uploads` when as many are open as the tenant may have. */
  async open({ id: tenant, limits }: Tenant, record: UploadRecord): Promise<void> {
    const keys = this.#keys(tenant, record.id);
    const livesMs = record.expiresAtMs - record.createdAtMs;
    const args = [record.id, livesMs, limits.openUploads];
    if ((await openScript(this.#redis, [keys.open], args)) !== 1) {
      throw new ApiError(
        'too_many_uploads',
        `Expected at most ${limits.openUploads} open uploads of a tenant; complete or cancel some, or wait until they expire`,
        { retryAfterS: RETRY_S },
      );
    }
    await this.#redis.set(keys.record, JSON.stringify(record), 'PX', livesMs);
  }

  async find({ id: tenant }: Tenant, id: string): Promise<UploadRecord | null> {
    const json = await this.#redis.get(this.#keys(tenant, id).record);
    return json === null ? null : (JSON.parse(json) as UploadRecord);
  }

  /** Throws `upload_not_found`, and `invalid_file` where the parts would be more than was announced. */
  async addPart({ id: tenant }: Tenant, record: UploadRecord, part: UploadPart): Promise<void> {
    const keys = this.#keys(tenant, record.id);
    const args = [part.id, part.bytes, record.bytes, MAX_PARTS];
    const refusal = await addPartScript(this.#redis, [keys.record, keys.parts], args);
    if (refusal === 'gone') throw uploadNotFound();
    if (refusal === '') return;
    const most = refusal === 'bytes' ? `${record.bytes} bytes, as announced,` : `${MAX_PARTS}`;
    throw new ApiError('invalid_file', `The parts: expected at most ${most} in all, got more`);
  }

  async parts({ id: tenant }: Tenant, id: string): Promise<ReadonlyMap<string, number>> {
    const found = await this.#redis.hgetall(this.#keys(tenant, id).parts);
    return new Map(Object.entries(found).map(([part, bytes]) => [part, Number(bytes)]));
  }

  /** It is closed; its record is deleted. */
  async close({ id: tenant }: Tenant, id: string): Promise<void> {
    const keys = this.#keys(tenant, id);
    await Promise.all([this.#redis.del(keys.record, keys.parts), this.#redis.zrem(keys.open, id)]);
  }

  #keys(tenant: string, id: string) {
    return {
      open: `${this.#prefix}:uploads:${tenant}`,
      record: `${this.#prefix}:upload:${tenant}:${id}`,
      parts: `${this.#prefix}:upload-parts:${tenant}:${id}`,
    };
  }
}

export const uploadNotFound = (): ApiError =>
  new ApiError('upload_not_found', 'No such upload, or its bytes have not arrived');
