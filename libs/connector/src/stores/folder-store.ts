import { constants } from 'node:fs';
import {
  access,
  mkdir,
  open,
  opendir,
  rmdir,
  stat,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { ObjectTooLargeError, StoreUnavailableError } from '../errors.ts';
import { makeFolder, publishFile, writeTemporary, type FileModes } from './atomic-file.ts';
import { removeLeftovers } from './folder-leftovers.ts';
import type { ObjectBody } from './object-body.ts';
import type {
  ByteRange,
  GetOptions,
  ListedObject,
  SizedStat,
  ObjectStore,
  PutOptions,
  PutResult,
} from './object-store.ts';
import { assertStoreKey, assertStorePrefix, isStoreKey } from './store-key.ts';

export interface FolderStoreOptions {
  readonly root: string;
  /**
   * @default 0o600: only the owner can read embeddings and images. A folder shared by users needs
   * 0o660.
   */
  readonly fileMode?: number;
  /** @default 0o700 */
  readonly directoryMode?: number;
  /**
   * Whether a put waits until the data is on disk. Only a cache, whose readers verify what they
   * read, may disable it. @default true
   */
  readonly durable?: boolean;
}

/** Retries of a put whose empty folder is removed concurrently. */
const MAX_PUT_ATTEMPTS = 5;

/**
 * Objects as files below a root, which processes and hosts may share. A key is the file's path, so
 * with embeddings at the root it reads and writes vLLM's shared-storage layout. Temporary files are
 * beside their target with a `~` in the name, which no key can contain.
 */
export class FolderStore implements ObjectStore {
  readonly #root: string;
  readonly #modes: FileModes;
  readonly #durable: boolean;
  #usedFolder: string | null = null;

  constructor(options: FolderStoreOptions) {
    this.#root = resolve(options.root);
    this.#modes = { file: options.fileMode ?? 0o600, directory: options.directoryMode ?? 0o700 };
    this.#durable = options.durable ?? true;
  }

  async put(key: string, body: ObjectBody, options: PutOptions = {}): Promise<PutResult> {
    const path = this.#path(key);
    const { onlyIfAbsent = false, canBeRemade = false } = options;
    const how = { onlyIfAbsent, durable: this.#durable && !canBeRemade };
    return guarded(`writing ${key}`, async () => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await this.#putOnce(path, body, how);
        } catch (error) {
          if (codeOf(error) !== 'ENOENT' || attempt === MAX_PUT_ATTEMPTS) throw error;
          this.#usedFolder = null;
        }
      }
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array | null> {
    const path = this.#path(key);
    options.signal?.throwIfAborted();
    return guarded(`reading ${key}`, async () => {
      const file = await openIfThere(path);
      if (!file) return null;
      try {
        return await readWhole(file, key, options);
      } finally {
        await file.close();
      }
    });
  }

  async getRange(key: string, { start, bytes }: ByteRange): Promise<Uint8Array | null> {
    const path = this.#path(key);
    return guarded(`reading ${key}`, async () => {
      const file = await openIfThere(path);
      if (!file) return null;
      try {
        const { size } = await file.stat();
        const there = Math.min(Math.max(size - start, 0), bytes);
        return await readAt(file, Buffer.allocUnsafeSlow(there), start);
      } finally {
        await file.close();
      }
    });
  }

  async stat(key: string): Promise<SizedStat | null> {
    const path = this.#path(key);
    return guarded(`looking up ${key}`, () => statFile(path));
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await guarded(`deleting ${key}`, async () => {
      await unlink(path).catch(ignoreAbsence);
      await this.#removeEmptyParents(path);
    });
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    assertStorePrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    for await (const key of this.#walk(folder)) {
      if (!key.startsWith(prefix)) continue;
      const found = await this.stat(key);
      if (found) yield { key, ...found };
    }
  }

  /** Creates the root if it is missing: the only thing that a start may create. */
  async ping(): Promise<void> {
    await guarded(`opening ${this.#root}`, async () => {
      await mkdir(this.#root, { recursive: true, mode: this.#modes.directory });
      await access(this.#root, constants.R_OK | constants.W_OK | constants.X_OK);
    });
  }

  async close(): Promise<void> {}

  removeLeftovers(olderThanMs: number): Promise<number> {
    return guarded(`tidying ${this.#root}`, () => removeLeftovers(this.#root, olderThanMs));
  }

  async #putOnce(
    path: string,
    body: ObjectBody,
    how: { readonly onlyIfAbsent: boolean; readonly durable: boolean },
  ): Promise<PutResult> {
    const isNew = await this.#makeFolder(dirname(path), how.durable);
    if (how.onlyIfAbsent && !isNew) {
      const present = await statFile(path);
      if (present) return { etag: present.etag, created: false };
    }
    const temporary = await writeTemporary(path, body, this.#modes.file, how.durable);
    const created = await publishFile(temporary, path, how);
    const found = await statFile(path);
    // Deleted again at once by another process: the put did succeed.
    return { etag: found?.etag ?? 'gone', created };
  }

  /** Returns whether it is new. One that was used last is taken to be there: else the put is tried again. */
  async #makeFolder(folder: string, durable: boolean): Promise<boolean> {
    if (folder === this.#usedFolder) return false;
    const isNew = await makeFolder(folder, this.#modes.directory, durable);
    this.#usedFolder = folder;
    return isNew;
  }

  /** Depth first; skips entries that vanish meanwhile, and names that are no keys. */
  async *#walk(folder: string): AsyncIterable<string> {
    const directory = await opendir(join(this.#root, folder)).catch(ignoreAbsence);
    if (!directory) return;
    for await (const entry of directory) {
      const key = folder + entry.name;
      if (!isStoreKey(key)) continue;
      if (entry.isDirectory()) yield* this.#walk(`${key}/`);
      else yield key;
    }
  }

  async #removeEmptyParents(path: string): Promise<void> {
    let folder = dirname(path);
    while (folder.startsWith(this.#root + sep)) {
      try {
        await rmdir(folder);
      } catch {
        return;
      }
      folder = dirname(folder);
    }
  }

  #path(key: string): string {
    assertStoreKey(key);
    return join(this.#root, key);
  }
}

/** O_NONBLOCK: opening a named pipe in the folder must not block the process. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  return (await open(path, flags).catch(ignoreAbsence)) ?? null;
}

const ownMemory = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes);

async function readWhole(
  file: FileHandle,
  key: string,
  { maxBytes = Number.POSITIVE_INFINITY, allocate = ownMemory }: GetOptions,
): Promise<Uint8Array | null> {
  const stats = await file.stat();
  if (!stats.isFile()) return null;
  if (stats.size > maxBytes) throw new ObjectTooLargeError(key, stats.size, maxBytes);
  return readAt(file, allocate(stats.size), 0);
}

/** Fills `body` from the file's bytes at `start`; the result ends where the file ends. */
async function readAt(file: FileHandle, body: Uint8Array, start: number): Promise<Uint8Array> {
  let filled = 0;
  while (filled < body.length) {
    const { bytesRead } = await file.read(body, filled, body.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return body.subarray(0, filled);
}

async function statFile(path: string): Promise<SizedStat | null> {
  const stats = await stat(path, { bigint: true }).catch(ignoreAbsence);
  if (!stats?.isFile()) return null;
  return {
    bytes: Number(stats.size),
    etag: `${stats.mtimeNs.toString(36)}-${stats.size.toString(36)}-${stats.ino.toString(36)}`,
    modifiedAtMs: Number(stats.mtimeMs),
  };
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** ENOTDIR: a part of the path is a file, so nothing can be below it. */
function ignoreAbsence(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error;
}

async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ObjectTooLargeError) throw error;
    throw new StoreUnavailableError('folder', what, { cause: error });
  }
}
