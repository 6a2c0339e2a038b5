import { ApiError } from '../../http/errors.ts';
import { LargeBodies } from '../../http/large-bodies.ts';
import type { MemoryBudget, MemoryHold } from '../../http/memory-budget.ts';
import type { FileRecord } from '../files/file-records.ts';
import type { Files } from '../files/files.ts';
import { findProblems, readLine, type BatchLine, type LineLimits } from './batch-input.ts';
import type { Batch, BatchProblem } from './batch-record.ts';
import { splitLines, type SplitLine } from './split-lines.ts';

interface InputsParts {
  readonly files: Pick<Files, 'get' | 'read'>;
  readonly memory: MemoryBudget;
  readonly limits: LineLimits;
}

/** Where a file's lines lie: two numbers a line, 800 kB for the longest batch. */
interface LineIndex {
  readonly file: FileRecord;
  readonly starts: readonly number[];
  readonly lengths: readonly number[];
}

/** Read at once. */
const PIECE_BYTES = 1024 * 1024;

/**
 * What batches ask for, read line by line. Between the steps of a batch only where its lines lie is kept: a
 * whole input, parsed, would take many times the memory of its file.
 */
export class BatchInputs {
  readonly #parts: InputsParts;
  readonly #indexes = new Map<string, LineIndex>();
  /** Large lines have their pictures in them: two of a tenant at once would leave no room for either's. */
  readonly #large = new LargeBodies();

  constructor(parts: InputsParts) {
    this.#parts = parts;
  }

  /** Batches whose lines this process knows. */
  get known(): number {
    return this.#indexes.size;
  }

  /** Looks through the whole file, a line at a time. */
  async problems(batch: Batch): Promise<BatchProblem[]> {
    const file = await this.#file(batch);
    const lines = file === null ? none() : this.#split(batch, file);
    return findProblems(lines, batch.endpoint, this.#parts.limits);
  }

  /** How many requests there are; 0 when the file was deleted meanwhile. */
  async count(batch: Batch): Promise<number> {
    return (await this.#index(batch))?.starts.length ?? 0;
  }

  /**
   * Hands one line to `work`, and counts its memory until that has ended. Resolves to null when the file, or
   * the line, is gone. Throws `busy` while there is no room.
   */
  async withLine<T>(
    batch: Batch,
    index: number,
    work: (line: BatchLine, memory: MemoryHold) => T | Promise<T>,
  ): Promise<T | null> {
    const { memory, limits } = this.#parts;
    const known = await this.#index(batch);
    const [start, bytes] = [known?.starts[index], known?.lengths[index]];
    if (known === null || start === undefined || bytes === undefined) return null;
    return this.#large.run(bytes, async () => {
      const hold = memory.open(batch.tenant);
      try {
        hold.take(bytes);
        const content = await this.#read(known.file, start, bytes);
        const line = content === null ? null : readLine(content, batch.endpoint, limits);
        return line === null || typeof line === 'string' ? null : await work(line, hold);
      } finally {
        hold.release();
      }
    });
  }

  /** The ids of all lines in order, each with its number. Ends early when the file was deleted. */
  async *ids(batch: Batch): AsyncGenerator<readonly [index: number, line: BatchLine]> {
    const file = await this.#file(batch);
    if (file === null) return;
    let index = 0;
    for await (const { content } of this.#split(batch, file)) {
      const line = readLine(content, batch.endpoint, this.#parts.limits);
      if (typeof line !== 'string') yield [index, { customId: line.customId, body: null }];
      index += 1;
    }
  }

  /** The other batches have ended, or belong to another process. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#indexes.keys()) if (!ids.has(id)) this.#indexes.delete(id);
  }

  async #index(batch: Batch): Promise<LineIndex | null> {
    const known = this.#indexes.get(batch.id);
    if (known !== undefined) return known;
    const file = await this.#file(batch);
    if (file === null) return null;
    const [starts, lengths]: [number[], number[]] = [[], []];
    for await (const { start, bytes } of this.#split(batch, file)) {
      starts.push(start);
      lengths.push(bytes);
    }
    const index = { file, starts, lengths };
    this.#indexes.set(batch.id, index);
    return index;
  }

  async *#split(batch: Batch, file: FileRecord): AsyncGenerator<SplitLine> {
    const { memory, limits } = this.#parts;
    const hold = memory.open(batch.tenant);
    try {
      hold.take(Math.min(file.bytes, limits.maxLineBytes));
      yield* splitLines(this.#pieces(file), limits.maxLineBytes);
    } finally {
      hold.release();
    }
  }

  async *#pieces(file: FileRecord): AsyncGenerator<Uint8Array> {
    for (let start = 0; start < file.bytes; start += PIECE_BYTES) {
      const piece = await this.#read(file, start, PIECE_BYTES);
      if (piece === null) return;
      yield piece;
    }
  }

  async #file({ tenant, inputFileId }: Batch): Promise<FileRecord | null> {
    return nullIfGone(() => this.#parts.files.get(tenant, inputFileId));
  }

  #read(file: FileRecord, start: number, bytes: number): Promise<Uint8Array | null> {
    return nullIfGone(() => this.#parts.files.read(file, { start, bytes }));
  }
}

async function nullIfGone<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ApiError && error.code === 'file_not_found') return null;
    throw error;
  }
}

async function* none(): AsyncGenerator<never> {}
