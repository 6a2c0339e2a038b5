import { createHash, randomBytes } from 'node:crypto';
import { serverTimeMs, type ObjectStore } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ApiError } from '../../http/errors.ts';
import type { MemoryBudget } from '../../http/memory-budget.ts';
import type { Tenant } from '../auth/tenant.ts';
import { fileQuota } from './file-quota.ts';
import type { FilePurpose, FileRecord } from './file-records.ts';
import type { Files } from './files.ts';
import type { UploadSigner } from './s3-presigner.ts';
import {
  uploadNotFound,
  UploadRecords,
  type UploadPart,
  type UploadRecord,
} from './upload-records.ts';

interface UploadsParts {
  /** Null where the store is no S3. */
  readonly signer: UploadSigner | null;
  readonly redis: Redis;
  readonly prefix: string;
  readonly store: ObjectStore;
  readonly files: Files;
  readonly limits: { readonly maxImageBytes: number; readonly maxFileBytes: number };
  readonly memory: MemoryBudget;
}

export interface NewUpload {
  readonly filename: string;
  readonly bytes: number;
  readonly purpose: FilePurpose;
  readonly fileLivesS: number | null;
}

export interface OpenUpload extends UploadRecord {
  /** Where the bytes may be put in one request; null where the store is no S3. */
  readonly url: string | null;
}

export interface Completion {
  /** In the order of the file; absent: the bytes were put to `url`. */
  readonly partIds?: readonly string[] | undefined;
  readonly md5?: string | undefined;
}

/** To send the bytes, and then to say so: as long as OpenAI gives. */
const EXPIRES_IN_S = 3_600;

/**
 * Files that come in pieces, or to S3 without passing through the API: it opens a place for the bytes, and when they
 * are there it checks them as any others and keeps them as a file. Whatever is not completed expires, and is swept.
 */
export class Uploads {
  readonly #parts: UploadsParts;
  readonly #records: UploadRecords;

  constructor(parts: UploadsParts) {
    this.#parts = parts;
    this.#records = new UploadRecords(parts.redis, parts.prefix);
  }

  /** Throws `image_too_large`, `body_too_large` and `too_many_uploads`. */
  async open(tenant: Tenant, upload: NewUpload): Promise<OpenUpload> {
    this.#checkSize(upload);
    const { signer, redis } = this.#parts;
    const id = `upload-${randomBytes(16).toString('hex')}`;
    const createdAtMs = await serverTimeMs(redis);
    const record = { ...upload, id, createdAtMs, expiresAtMs: createdAtMs + EXPIRES_IN_S * 1000 };
    await this.#records.open(tenant, record);
    const now = new Date(createdAtMs);
    const url = await signer?.sign(objectKey(id), upload.bytes, EXPIRES_IN_S, now);
    return { ...record, url: url ?? null };
  }

  /** Throws `upload_not_found`, and `invalid_file` where there would be more bytes than were announced. */
  async addPart(tenant: Tenant, id: string, bytes: Uint8Array): Promise<UploadPart> {
    const record = await this.#find(tenant, id);
    const part = { id: `part_${randomBytes(16).toString('hex')}`, bytes: bytes.length };
    await this.#parts.store.put(objectKey(part.id), bytes);
    try {
      await this.#records.addPart(tenant, record, part);
    } catch (error) {
      await this.#forget([part.id]);
      throw error;
    }
    return part;
  }

  /**
   * The upload as a file, the same one however often it is asked for. Throws `upload_not_found`, `invalid_value` and
   * `invalid_file` for parts that are not the file that was announced, and what is wrong with a picture, which ends
   * the upload; anything else leaves it to a repetition.
   */
  async complete(tenant: Tenant, id: string, completion: Completion): Promise<FileRecord> {
    const record = await this.#records.find(tenant, id);
    const before = await this.#parts.files.records.find(tenant.id, fileId(id));
    if (before !== null) return before;
    if (record === null) throw uploadNotFound();
    const hold = this.#parts.memory.open(tenant.id);
    try {
      hold.take(record.bytes);
      const bytes = await this.#read(tenant, record, completion);
      checkMd5(bytes, completion.md5);
      return await this.#keep(tenant, record, bytes);
    } finally {
      hold.release();
    }
  }

  /** Throws `upload_not_found`, also for one that was completed. */
  async cancel(tenant: Tenant, id: string): Promise<UploadRecord> {
    const record = await this.#find(tenant, id);
    await this.#discard(tenant, id);
    return record;
  }

  async #keep(tenant: Tenant, record: UploadRecord, bytes: Uint8Array): Promise<FileRecord> {
    const { id, filename, purpose, fileLivesS } = record;
    const file = { id: fileId(id), tenant: tenant.id, filename, purpose, bytes };
    try {
      const quota = fileQuota(tenant);
      const kept = await this.#parts.files.add({ ...file, expiresAfterS: fileLivesS, quota });
      await this.#discard(tenant, id).catch(() => undefined); // then it expires
      return kept;
    } catch (error) {
      if (error instanceof ApiError && error.statusCode === 400) await this.#discard(tenant, id);
      throw error;
    }
  }

  async #read(
    tenant: Tenant,
    { id, bytes }: UploadRecord,
    { partIds }: Completion,
  ): Promise<Uint8Array> {
    if (partIds !== undefined) return this.#joined(tenant, id, bytes, partIds);
    const { store } = this.#parts;
    const stat = await store.stat(objectKey(id));
    if (stat === null) throw uploadNotFound();
    checkLength(stat.bytes ?? bytes, bytes);
    const found = await store.get(objectKey(id), { maxBytes: bytes });
    if (found === null) throw uploadNotFound();
    checkLength(found.length, bytes);
    return found;
  }

  async #joined(
    tenant: Tenant,
    id: string,
    bytes: number,
    partIds: readonly string[],
  ): Promise<Uint8Array> {
    const known = await this.#records.parts(tenant, id);
    const lengths = partIds.map((part, index) => known.get(part) ?? unknownPart(part, index));
    checkLength(
      lengths.reduce((sum, length) => sum + length, 0),
      bytes,
    );
    const whole = Buffer.alloc(bytes);
    let filled = 0;
    for (const part of partIds) {
      const found = await this.#parts.store.get(objectKey(part), { maxBytes: bytes });
      if (found === null) throw uploadNotFound();
      whole.set(found, filled);
      filled += found.length;
    }
    return whole;
  }

  async #find(tenant: Tenant, id: string): Promise<UploadRecord> {
    const record = await this.#records.find(tenant, id);
    if (record === null) throw uploadNotFound();
    return record;
  }

  #checkSize({ bytes, purpose }: NewUpload): void {
    const { maxImageBytes, maxFileBytes } = this.#parts.limits;
    const isPicture = purpose === 'vision';
    const most = isPicture ? maxImageBytes : maxFileBytes;
    if (bytes <= most) return;
    const message = `bytes: expected at most ${most}, got ${bytes}`;
    throw new ApiError(isPicture ? 'image_too_large' : 'body_too_large', message, {
      param: 'bytes',
    });
  }

  async #discard(tenant: Tenant, id: string): Promise<void> {
    const parts = await this.#records.parts(tenant, id);
    await this.#forget([id, ...parts.keys()]);
    await this.#records.close(tenant, id);
  }

  /** What cannot be deleted now is swept. */
  async #forget(ids: readonly string[]): Promise<void> {
    await Promise.allSettled(ids.map((id) => this.#parts.store.delete(objectKey(id))));
  }
}

function unknownPart(part: string, index: number): never {
  const message = `part_ids[${index}]: expected a part of this upload, got ${JSON.stringify(part)}`;
  throw new ApiError('invalid_value', message, { param: `part_ids[${index}]` });
}

function checkLength(bytes: number, expected: number): void {
  if (bytes === expected) return;
  throw new ApiError('invalid_file', `Expected ${expected} bytes, as announced, got ${bytes}`);
}

function checkMd5(bytes: Uint8Array, expected: string | undefined): void {
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (expected === undefined || expected.toLowerCase() === md5) return;
  const message = `md5: expected that of the bytes, ${md5}, got ${expected}`;
  throw new ApiError('invalid_file', message, { param: 'md5' });
}

const objectKey = (id: string): string => `uploads/${id}`;

const fileId = (uploadId: string): string => uploadId.replace('upload-', 'file-');
