import { createHash } from 'node:crypto';
import { inputKey, type InputRef, type Modality, type ObjectStore } from '@epd/connector';
import { ApiError } from '../../http/errors.ts';
import type { FileRecords } from '../files/file-records.ts';
import type { InputUsage } from '../inputs/input-usage.ts';
import { AliasConflictError, type UuidAliases } from '../inputs/uuid-aliases.ts';
import type { MemoryHold } from '../../http/memory-budget.ts';
import { decodeDataUri } from '../media/data-uri.ts';
import type { ImageFetcher } from '../media/image-fetcher.ts';
import { readImageHeader } from '../media/image-header.ts';
import type { ImageSource } from './image-sources.ts';

interface ImageLimits {
  readonly maxImageBytes: number;
  readonly maxImagePixels: number;
}

interface ResolverParts {
  readonly inputs: ObjectStore;
  readonly usage: Pick<InputUsage, 'touch'>;
  readonly fetcher: ImageFetcher;
  readonly aliases: Pick<UuidAliases, 'bind' | 'resolve'>;
  readonly files: Pick<FileRecords, 'find'>;
  readonly limits: ImageLimits;
}

interface TakeOptions {
  readonly tenant: string;
  readonly signal: AbortSignal;
  /** Of the request that names the picture. */
  readonly memory: MemoryHold;
}

export interface TakenImage {
  readonly input: InputRef;
  /** Resolves when its bytes are in the store. Nothing durable may refer to it before. */
  readonly kept: Promise<void>;
}

/** One picture on its way in. */
interface Taking {
  readonly tenant: string;
  readonly signal: AbortSignal;
  /** Of the memory that its bytes take meanwhile. */
  readonly hold: MemoryHold;
}

const BYTES_PER_BASE64_CHARACTER = 3 / 4;
/** What this resolves; other media would have a resolver of their own. */
const IMAGE: Modality = 'image';
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

const schemeOf = (url: string): string | undefined =>
  SCHEME.exec(url.slice(0, 32))?.[0].toLowerCase();

const inStore = (input: InputRef): TakenImage => ({ input, kept: Promise.resolve() });

/** Resolves what a message calls a picture to bytes in the store and what their header says. */
export class ImageResolver {
  readonly #parts: ResolverParts;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  /**
   * A name that is bound already spares the fetch of a URL, not the check of bytes that were sent
   * along. Throws the `image…` codes; nothing is stored unless the header passes. Bytes that come with the
   * request are being stored when this resolves.
   */
  async take(source: ImageSource, { tenant, memory, signal }: TakeOptions): Promise<TakenImage> {
    const hold = memory.beside();
    try {
      const taken = await this.#take(source, { tenant, signal, hold });
      void taken.kept.catch(() => undefined).then(() => hold.release());
      return taken;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  async #take(source: ImageSource, taking: Taking): Promise<TakenImage> {
    const { url, uuid, sha256, fileId, param } = source;
    const { tenant, hold } = taking;
    if (fileId !== null) return inStore(await this.#uploaded(fileId, tenant, param));
    if (sha256 !== null) return inStore(present(await this.#recall(sha256, param, hold), param));
    if (uuid === null) return this.#look(await this.#bytes(url, param, taking), param);
    const known = schemeOf(url) === 'data:' ? null : await this.#named(uuid, param, taking);
    if (known !== null) return inStore(known);
    if (url === '') {
      throw new ApiError(
        'image_alias_unknown',
        `${param}: no picture is known by this uuid; send it`,
        { param },
      );
    }
    const input = await this.store(await this.#bytes(url, param, taking), param);
    await this.#bind(tenant, uuid, input.sha256, param);
    return inStore(input);
  }

  /** Checks the header and stores the bytes once, under their digest. */
  async store(bytes: Uint8Array, param: string): Promise<InputRef> {
    const { input, kept } = await this.#look(bytes, param);
    await kept;
    return input;
  }

  /** Checks the header, and begins to store the bytes. */
  async #look(bytes: Uint8Array, param: string): Promise<TakenImage> {
    const header = await readImageHeader(bytes, this.#parts.limits.maxImagePixels, param);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = inputKey(sha256);
    const input = { key, sha256, modality: IMAGE, bytes: bytes.length, ...header };
    return { input, kept: this.#keep(input, bytes) };
  }

  async #keep({ key, sha256 }: InputRef, bytes: Uint8Array): Promise<void> {
    await this.#parts.usage.touch(sha256);
    await this.#parts.inputs.put(key, bytes, { onlyIfAbsent: true });
  }

  /** The picture stored under a digest; null when it no longer exists. */
  async #recall(sha256: string, param: string, hold: MemoryHold): Promise<InputRef | null> {
    const { inputs, usage, limits } = this.#parts;
    const key = inputKey(sha256);
    await usage.touch(sha256);
    const stat = await inputs.stat(key);
    if (stat === null) return null;
    hold.take(stat.bytes ?? limits.maxImageBytes);
    const bytes = await inputs.get(key, { maxBytes: limits.maxImageBytes });
    if (bytes === null) return null;
    return {
      key,
      sha256,
      modality: IMAGE,
      bytes: bytes.length,
      ...(await readImageHeader(bytes, limits.maxImagePixels, param)),
    };
  }

  /** Its header is in the record: only the existence of the bytes is checked. */
  async #uploaded(fileId: string, tenant: string, param: string): Promise<InputRef> {
    const { files, usage, inputs } = this.#parts;
    const file = await files.find(tenant, fileId);
    if (file === null) throw new ApiError('file_not_found', `${param}: no such file`, { param });
    const { picture } = file;
    if (picture === null)
      throw new ApiError('invalid_file', `${param}: the file is not a picture`, { param });
    await usage.touch(picture.sha256);
    return present((await inputs.stat(picture.key)) === null ? null : picture, param);
  }

  async #named(uuid: string, param: string, { tenant, hold }: Taking): Promise<InputRef | null> {
    const sha256 = await this.#parts.aliases.resolve(tenant, uuid);
    return sha256 === null ? null : this.#recall(sha256, param, hold);
  }

  async #bind(tenant: string, uuid: string, sha256: string, param: string): Promise<void> {
    try {
      await this.#parts.aliases.bind(tenant, uuid, sha256);
    } catch (error) {
      if (!(error instanceof AliasConflictError)) throw error;
      throw new ApiError('image_alias_conflict', `${param}: ${error.message}`, {
        param,
        cause: error,
      });
    }
  }

  async #bytes(url: string, param: string, taking: Taking): Promise<Buffer> {
    const { fetcher, limits } = this.#parts;
    const scheme = schemeOf(url);
    if (scheme === 'data:') {
      taking.hold.take(Math.ceil(url.length * BYTES_PER_BASE64_CHARACTER));
      return decodeDataUri(url, limits.maxImageBytes, param);
    }
    if (scheme === undefined) {
      throw new ApiError('invalid_image_url', `${param}: expected a data: or https: URL`, {
        param,
      });
    }
    return fetcher.fetch(url, { maxBytes: limits.maxImageBytes, param, ...taking });
  }
}

function present(input: InputRef | null, param: string): InputRef {
  if (input !== null) return input;
  throw new ApiError(
    'image_gone',
    `${param}: the picture that this refers to is no longer stored`,
    {
      param,
    },
  );
}
