import {
  MESSAGE_VERSION,
  pooledVector,
  vectorToText,
  type CompletionPublisher,
  type Embedding,
  type EncodeJob,
  type EncodeTimings,
  type IndexedItem,
  type ItemError,
  type RedisSingleFlight,
} from '@epd/connector';
import type { JobStore, Stage } from '@epd/jobs';

export interface AnnouncerParts {
  /** This encoder's name. */
  readonly encoder: string;
  /** Width of the model's embeddings. */
  readonly width: number;
  /** Whether the fleet has an index: then events say what it needs. */
  readonly index: boolean;
  readonly flight: Pick<RedisSingleFlight, 'settle'>;
  readonly completions: Pick<CompletionPublisher, 'publish'>;
  readonly jobs: Pick<JobStore, 'note'>;
}

export interface StoredFile {
  readonly bytes: number;
  readonly etag: string;
}

const BYTES_PER_VALUE = 4;

/**
 * Announces the result of an item to the fleet: first the single-flight record, which names the
 * waiters, then the streams of those jobs, and then the completion event, which is sent last so that
 * a job's reader sees `stored` before the effects of the event. If the event is lost, its consumers
 * find the result at their next poll. Announcing twice is harmless.
 */
export class Announcer {
  readonly #parts: AnnouncerParts;

  constructor(parts: AnnouncerParts) {
    this.#parts = parts;
  }

  async encoding(job: EncodeJob, waiters: readonly string[]): Promise<void> {
    await this.#note(waiters, 'encoding', job, {});
  }

  /** Call this once the embedding is saved. `file` is null when nothing is known about it. */
  async stored(
    job: EncodeJob,
    { embedding, file }: { readonly embedding: Embedding; readonly file: StoredFile | null },
    timings: EncodeTimings,
  ): Promise<void> {
    await this.#settleStored(job, { file, embedding }, timings, timings);
  }

  /** It was stored before this encoder checked: its timings are unknown. */
  async storedBefore(job: EncodeJob): Promise<void> {
    const timings = { queueMs: 0, preprocessMs: 0, encodeMs: 0, saveMs: 0, batch: 0 };
    await this.#settleStored(job, { file: null, embedding: null }, timings, {});
  }

  async failed(mmHash: string, error: ItemError): Promise<void> {
    const { encoder, flight, completions } = this.#parts;
    await flight.settle(mmHash, { state: 'failed', error });
    await completions.publish({ v: MESSAGE_VERSION, outcome: 'failed', mmHash, encoder, error });
  }

  async #settleStored(
    job: EncodeJob,
    { file, embedding }: { readonly file: StoredFile | null; readonly embedding: Embedding | null },
    timings: EncodeTimings,
    detail: Partial<EncodeTimings>,
  ): Promise<void> {
    const { encoder, width, index, flight, completions } = this.#parts;
    const { waiters } = await flight.settle(job.mmHash, { state: 'stored' });
    // Sent before the event, on the same connection; the event waits for no reply.
    const noted = this.#note(waiters, 'stored', job, detail);
    const published = completions.publish({
      v: MESSAGE_VERSION,
      outcome: 'stored',
      mmHash: job.mmHash,
      rows: job.tokens,
      width,
      dtype: 'F32',
      ...(file ?? { bytes: job.tokens * width * BYTES_PER_VALUE, etag: '' }),
      encoder,
      timings,
      ...(index ? { item: indexedItem(job, embedding) } : {}),
    });
    await Promise.all([noted, published]);
  }

  async #note(
    waiters: readonly string[],
    stage: Stage,
    { mmHash }: EncodeJob,
    detail: Partial<EncodeTimings>,
  ): Promise<void> {
    const note = { stage, mmHash, detail: { mmHash, ...detail } };
    await Promise.all(waiters.map((waiter) => this.#parts.jobs.note(waiter, note)));
  }
}

/** Computes the vector here, while the rows are in memory: a reader would have to fetch them. */
function indexedItem(
  { model, fingerprint, input, tenant }: EncodeJob,
  embedding: Embedding | null,
): IndexedItem {
  const vector = embedding && pooledVector(embedding);
  return {
    model,
    fingerprint,
    input,
    ...(tenant === undefined ? {} : { tenant }),
    ...(vector === null ? {} : { vector: vectorToText(vector) }),
  };
}
