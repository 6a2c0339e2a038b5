import { serverTimeMs, type Semaphore } from '@epd/connector';
import {
  INDEX_WRITE_QUEUE,
  MAX_METADATA_PAIRS,
  WriteRequest,
  type Answers,
  type BackfillResult,
  type IndexedImage,
  type Outcome,
} from '@epd/image-index';
import type { Logger } from '@epd/service';
import { UnrecoverableError, Worker, type Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { Compile } from 'typebox/compile';
import { notFound, ownRow } from '../queries/own-row.ts';
import { toImage } from '../queries/to-image.ts';
import type { ImageTables } from '../table/image-tables.ts';
import { deletedRow } from './merge-row.ts';

const LOCK_MS = 10_000;
const schema = Compile(WriteRequest);

export interface WriteRequestsParts {
  readonly redis: Redis;
  readonly prefix: string;
  readonly tables: Pick<ImageTables, 'all'>;
  readonly backfill: () => Promise<BackfillResult>;
  readonly turns: Semaphore;
  readonly log: Logger;
}

/** Changes by callers: the elected writer alone takes them from their queue, one after the other. */
export class WriteRequests {
  readonly #parts: WriteRequestsParts;
  readonly #worker: Worker<unknown>;
  #running = false;

  constructor(parts: WriteRequestsParts) {
    this.#parts = parts;
    this.#worker = new Worker<unknown>(INDEX_WRITE_QUEUE, (job) => this.#process(job), {
      connection: parts.redis,
      prefix: parts.prefix,
      autorun: false,
      concurrency: 1,
      lockDuration: LOCK_MS,
      stalledInterval: LOCK_MS / 2,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
    });
    this.#worker.on('error', (err) => parts.log.error({ err }, 'index write queue error'));
    this.#worker.on('failed', (_, err) => parts.log.warn({ err }, 'index change failed'));
  }

  open(): void {
    if (this.#running) {
      void this.#worker.resume();
      return;
    }
    this.#running = true;
    void this.#worker.run().catch((err: unknown) => {
      this.#parts.log.error({ err }, 'index write queue stopped');
    });
  }

  pause(): void {
    void this.#worker.pause(true);
  }

  async close(): Promise<void> {
    await this.#worker.close();
  }

  async #process(job: Job<unknown>): Promise<Outcome<Answers[WriteRequest['op']]>> {
    if (!schema.Check(job.data)) throw new UnrecoverableError('Unknown request');
    const request = job.data;
    return this.#parts.turns.run(() => this.#do(request));
  }

  async #do(request: WriteRequest): Promise<Outcome<Answers[WriteRequest['op']]>> {
    if (request.op === 'patch') return this.#patch(request);
    if (request.op === 'remove') return this.#remove(request);
    return { ok: true, value: await this.#parts.backfill() };
  }

  async #patch(request: Extract<WriteRequest, { op: 'patch' }>): Promise<Outcome<IndexedImage>> {
    const own = await ownRow(await this.#parts.tables.all(), request);
    if (!own) return notFound(request.id);
    const metadata = patched(own.row.metadata, request.metadata);
    if (Object.keys(metadata).length > MAX_METADATA_PAIRS) return tooMuchMetadata();
    const row = { ...own.row, metadata, rev: own.row.rev + 1 };
    await own.table.upsert([row]);
    return { ok: true, value: toImage(row) };
  }

  /** Once it is answered, no query that begins finds the image. */
  async #remove(
    request: Extract<WriteRequest, { op: 'remove' }>,
  ): Promise<Outcome<{ removed: true }>> {
    const own = await ownRow(await this.#parts.tables.all(), request);
    if (!own) return notFound(request.id);
    await own.table.upsert([deletedRow(own.row, await serverTimeMs(this.#parts.redis))]);
    return { ok: true, value: { removed: true } };
  }
}

function patched(
  metadata: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const entries = Object.entries({ ...metadata, ...changes });
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

const tooMuchMetadata = (): Outcome<never> => ({
  ok: false,
  code: 'too_much_metadata',
  message: `An image has at most ${MAX_METADATA_PAIRS} pairs of metadata`,
});
