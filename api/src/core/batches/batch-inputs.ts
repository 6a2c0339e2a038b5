import { ApiError } from '../../http/errors.ts';
import type { Files } from '../files/files.ts';
import { readBatchInput, type BatchInput } from './batch-input.ts';
import type { Batch } from './batch-record.ts';

interface Kept {
  readonly input: BatchInput;
  readonly bytes: number;
}

/** Text of the inputs that stay in memory, parsed: some times as much. Above the largest file by default. */
const MAX_KEPT_BYTES = 128 * 2 ** 20;

/**
 * What batches ask for, kept between the steps of those that this process works at. When they are too many
 * the later ones are read anew for each step: to let go of the earlier ones would have all read anew, for
 * they take turns.
 */
export class BatchInputs {
  readonly #files: Files;
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Kept>();

  constructor(files: Files, maxBytes = MAX_KEPT_BYTES) {
    this.#files = files;
    this.#maxBytes = maxBytes;
  }

  get keptBytes(): number {
    return this.#kept.values().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async of(batch: Batch): Promise<BatchInput> {
    const kept = this.#kept.get(batch.id);
    if (kept !== undefined) return kept.input;
    const text = await this.#read(batch);
    const input = readBatchInput(text, batch.endpoint);
    const fits = this.keptBytes + text.length <= this.#maxBytes;
    if (fits) this.#kept.set(batch.id, { input, bytes: text.length });
    return input;
  }

  /** The other batches are at rest, or another process's. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#kept.keys()) if (!ids.has(id)) this.#kept.delete(id);
  }

  /** A file that was deleted in the meantime reads as an empty one. */
  async #read({ tenant, inputFileId }: Batch): Promise<Uint8Array> {
    try {
      return await this.#files.content(await this.#files.get(tenant, inputFileId));
    } catch (error) {
      if (error instanceof ApiError && error.code === 'file_not_found') return new Uint8Array();
      throw error;
    }
  }
}
