import { randomBytes } from 'node:crypto';
import { redisScript, serverTimeMs, type ObjectStat, type ObjectStore } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ApiError } from '../../http/errors.ts';
import type { MemoryBudget } from '../../http/memory-budget.ts';
import type { Tenant } from '../auth/tenant.ts';
import { fileQuota } from './file-quota.ts';
import type { FileRecord } from './file-records.ts';
import type { Files } from './files.ts';
import type { UploadSigner } from './s3-presigner.ts';

interface UploadsParts {
  readonly signer: UploadSigner | null;
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly files: Files;
  readonly maxBytes: number;
  readonly memory: MemoryBudget;
}

interface Pending {
  readonly filename: string;
  readonly bytes: number;
}

export interface OpenUpload {
  readonly id: string;
  readonly url: string;
  readonly expiresAtMs: number;
}

/** KEYS open uploads by when they expire; ARGV id, livesMs, most. 0: there are as many as may be. */
const openScript = redisScript(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local most = tonumber(ARGV[3])
if most > 0 and redis.call('ZCARD', KEYS[1]) >= most then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

const RETRY_S = 60;
/** To send the bytes, and then to say so. */
const EXPIRES_IN_S = 900;

/**
 * Pictures that go to S3 without passing through the API: it signs a place for the bytes, and when
 * they are there it checks them as any others and stores them under their digest.
 */
export class Uploads {
  readonly #parts: UploadsParts;

  constructor(parts: UploadsParts) {
    this.#parts = parts;
  }

  /** Throws `uploads_unavailable` where the store is no S3, and `too_many_uploads`. */
  async open(tenant: Tenant, pending: Pending): Promise<OpenUpload> {
    const { signer, maxBytes, redis } = this.#parts;
    if (signer === null) {
      throw new ApiError(
        'uploads_unavailable',
        'Uploads by URL need the S3 store; send the file to /v1/files',
      );
    }
    if (pending.bytes > maxBytes) {
      throw new ApiError(
        'image_too_large',
        `bytes: ${pending.bytes}; at most ${maxBytes} are allowed`,
        { param: 'bytes' },
      );
    }
    const id = `upload-${randomBytes(16).toString('hex')}`;
    await this.#count(tenant, id);
    const nowMs = await serverTimeMs(redis);
    const url = await signer.sign(stagingKey(id), pending.bytes, EXPIRES_IN_S, new Date(nowMs));
    await redis.set(this.#key(tenant.id, id), JSON.stringify(pending), 'EX', EXPIRES_IN_S);
    return { id, url, expiresAtMs: nowMs + EXPIRES_IN_S * 1000 };
  }

  /**
   * The uploaded picture as a file, the same one however often it is asked for. Throws `upload_not_found`,
   * and what is wrong with the picture, which ends the upload; anything else leaves it to a repetition.
   */
  async complete(tenant: Tenant, id: string): Promise<FileRecord> {
    const { redis, store } = this.#parts;
    const json = await redis.get(this.#key(tenant.id, id));
    const stat = json === null ? null : await store.stat(stagingKey(id));
    if (json === null || stat === null) return this.#completedBefore(tenant, id);
    try {
      const file = await this.#add(tenant, id, JSON.parse(json) as Pending, stat);
      await this.#discard(tenant, id);
      return file;
    } catch (error) {
      if (error instanceof ApiError && error.statusCode === 400) await this.#discard(tenant, id);
      throw error;
    }
  }

  async #add(
    tenant: Tenant,
    id: string,
    { filename, bytes: expected }: Pending,
    stat: ObjectStat,
  ): Promise<FileRecord> {
    const { store, files, maxBytes, memory } = this.#parts;
    checkSize(stat.bytes ?? expected, expected);
    const hold = memory.open(tenant.id);
    try {
      hold.take(expected);
      const bytes = await store.get(stagingKey(id), { maxBytes });
      if (bytes === null) return await this.#completedBefore(tenant, id);
      checkSize(bytes.length, expected);
      const file = { tenant: tenant.id, filename, purpose: 'vision', bytes } as const;
      const quota = fileQuota(tenant);
      return await files.add({ ...file, id: fileId(id), expiresAfterS: null, quota });
    } finally {
      hold.release();
    }
  }

  /** Throws `too_many_uploads` when as many are open as the tenant may have. */
  async #count({ id: tenant, limits }: Tenant, id: string): Promise<void> {
    const { redis } = this.#parts;
    const args = [id, EXPIRES_IN_S * 1000, limits.openUploads];
    if ((await openScript(redis, [this.#openKey(tenant)], args)) === 1) return;
    throw new ApiError(
      'too_many_uploads',
      `Expected at most ${limits.openUploads} open uploads of a tenant; complete some, or wait until they expire`,
      { retryAfterS: RETRY_S },
    );
  }

  /** By one whose answer did not arrive, or at the same time. */
  async #completedBefore(tenant: Tenant, id: string): Promise<FileRecord> {
    const file = await this.#parts.files.records.find(tenant.id, fileId(id));
    if (file !== null) return file;
    throw new ApiError('upload_not_found', 'No such upload, or its bytes have not arrived');
  }

  /** What cannot be deleted now expires, and is swept. */
  async #discard({ id: tenant }: Tenant, id: string): Promise<void> {
    const { redis, store } = this.#parts;
    await Promise.allSettled([
      store.delete(stagingKey(id)),
      redis.del(this.#key(tenant, id)),
      redis.zrem(this.#openKey(tenant), id),
    ]);
  }

  #openKey(tenant: string): string {
    return `${this.#parts.prefix}:uploads:${tenant}`;
  }

  #key(tenant: string, id: string): string {
    return `${this.#parts.prefix}:upload:${tenant}:${id}`;
  }
}

function checkSize(bytes: number, expected: number): void {
  if (bytes === expected) return;
  throw new ApiError('invalid_file', `Expected ${expected} bytes, got ${bytes}`);
}

const stagingKey = (id: string): string => `uploads/${id}`;

const fileId = (uploadId: string): string => uploadId.replace('upload-', 'file-');
