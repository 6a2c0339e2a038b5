import { randomBytes } from 'node:crypto';
import { serverTimeMs, type ObjectStore } from '@epd/connector';
import type { Redis } from 'ioredis';
import { ApiError } from '../errors.ts';
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

  /** Throws `uploads_unavailable` where the store is no S3. */
  async open(tenant: string, pending: Pending): Promise<OpenUpload> {
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
    const nowMs = await serverTimeMs(redis);
    const url = await signer.sign(stagingKey(id), pending.bytes, EXPIRES_IN_S, new Date(nowMs));
    await redis.set(this.#key(tenant, id), JSON.stringify(pending), 'EX', EXPIRES_IN_S);
    return { id, url, expiresAtMs: nowMs + EXPIRES_IN_S * 1000 };
  }

  /** The uploaded picture as a file. Throws `upload_not_found`, and what is wrong with the picture. */
  async complete(tenant: string, id: string): Promise<FileRecord> {
    const { redis, store, files, maxBytes } = this.#parts;
    const json = await redis.get(this.#key(tenant, id));
    const stat = json === null ? null : await store.stat(stagingKey(id));
    if (json === null || stat === null) {
      throw new ApiError('upload_not_found', 'No such upload, or its bytes have not arrived');
    }
    const { filename, bytes: expected } = JSON.parse(json) as Pending;
    try {
      const bytes = await store.get(stagingKey(id), { maxBytes });
      if (bytes?.length !== expected)
        throw new ApiError('invalid_file', `Expected ${expected} bytes, got ${stat.bytes}`);
      return await files.add({ tenant, filename, purpose: 'vision', bytes, expiresAfterS: null });
    } finally {
      await store.delete(stagingKey(id));
      await redis.del(this.#key(tenant, id));
    }
  }

  #key(tenant: string, id: string): string {
    return `${this.#parts.prefix}:upload:${tenant}:${id}`;
  }
}

const stagingKey = (id: string): string => `uploads/${id}`;
