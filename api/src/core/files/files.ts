import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange, InputRef, ObjectStore } from '@epd/connector';
import { hasPictureSignature } from '../media/picture-signature.ts';
import { ApiError } from '../../http/errors.ts';
import type { FileQuota } from './file-account.ts';
import type { FilePurpose, FileRecord, FileRecords } from './file-records.ts';

export interface NewFile {
  /** Of what may be added again: then it takes the place of the first. @default a new one */
  readonly id?: string;
  readonly tenant: string;
  readonly filename: string;
  readonly purpose: FilePurpose;
  readonly bytes: Uint8Array;
  readonly expiresAfterS: number | null;
  /** What its tenant may keep in all. @default no bound */
  readonly quota?: FileQuota;
}

/** Keeps a picture's bytes. Throws the `image…` codes for bytes that are none. */
export interface PictureStore {
  store(bytes: Uint8Array, param: string): Promise<InputRef>;
}

interface FilesParts {
  readonly records: FileRecords;
  readonly store: ObjectStore;
  readonly pictures: PictureStore;
}

/** What of a file is in memory at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * Uploaded files. A picture's bytes are stored once under their digest, regardless of who uploads
 * them.
 */
export class Files {
  readonly records: FileRecords;
  readonly #store: ObjectStore;
  readonly #pictures: PictureStore;

  constructor({ records, store, pictures }: FilesParts) {
    this.records = records;
    this.#store = store;
    this.#pictures = pictures;
  }

  /** Throws the `image…` codes for a picture that is none, when the purpose is `vision`. */
  async add(file: NewFile): Promise<FileRecord> {
    const id = file.id ?? `file-${randomBytes(16).toString('hex')}`;
    const isPicture = file.purpose === 'vision' || hasPictureSignature(file.bytes);
    const picture = isPicture ? await this.#pictures.store(file.bytes, 'file') : null;
    const key = picture?.key ?? `files/${id}`;
    if (picture === null) await this.#store.put(key, file.bytes);
    const createdAtMs = Date.now();
    const record: FileRecord = {
      id,
      tenant: file.tenant,
      filename: file.filename,
      purpose: file.purpose,
      bytes: file.bytes.length,
      createdAtMs,
      expiresAtMs: file.expiresAfterS === null ? null : createdAtMs + file.expiresAfterS * 1000,
      key,
      picture,
    };
    await this.records.add(record, file.quota);
    return record;
  }

  /** Throws `file_not_found`, also for another tenant's. */
  async get(tenant: string, id: string): Promise<FileRecord> {
    const file = await this.records.find(tenant, id);
    if (file !== null) return file;
    throw new ApiError('file_not_found', `No file ${JSON.stringify(id.slice(0, 80))}`);
  }

  /** The bytes at the reader's pace. Throws `file_not_found` when they no longer exist. */
  async stream(file: FileRecord): Promise<Readable> {
    const first = await this.read(file, { start: 0, bytes: PIECE_BYTES });
    return Readable.from(this.#pieces(file, first), { objectMode: false, highWaterMark: 1 });
  }

  /** A part of the bytes. Throws `file_not_found` when they no longer exist. */
  async read(file: FileRecord, range: ByteRange): Promise<Uint8Array> {
    const bytes = await this.#store.getRange(file.key, range);
    if (bytes !== null) return bytes;
    throw new ApiError('file_not_found', `The bytes of ${file.id} are no longer stored`);
  }

  async *#pieces(file: FileRecord, first: Uint8Array): AsyncGenerator<Uint8Array> {
    yield first;
    for (let start = first.length; start < file.bytes; start += PIECE_BYTES) {
      yield await this.read(file, { start, bytes: PIECE_BYTES });
    }
  }

  /** A picture's bytes stay: others may have sent the same. */
  async remove(file: FileRecord): Promise<void> {
    await this.records.remove(file);
    if (file.picture === null) await this.#store.delete(file.key);
  }
}
