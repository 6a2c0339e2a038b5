import { EncoderError } from '../errors.ts';
import { batchSize, type BatchItem, type BatchLimits } from './take-batch.ts';
import { VisionThreadError } from '../vision/vision-runner.ts';

/** How an item was encoded: its result, the time of the run, and how many items shared it. */
export interface Batched<R> {
  readonly result: R;
  readonly ms: number;
  readonly batch: number;
}

/** Encodes items as one batch; results in their order. */
export type RunBatch<T, R> = (
  items: readonly T[],
) => Promise<{ readonly results: readonly R[]; readonly ms: number }>;

interface Entry<T, R> {
  readonly item: T;
  readonly resolve: (batched: Batched<R>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Forms batches from queued items, oldest first. There is no timer: an item that finds the model
 * idle runs at once, and items that arrive during a run form the next batch. A batch that fails is
 * halved until the failing item is alone, so that no item fails because of another.
 */
export class Batcher<T extends BatchItem, R> {
  readonly #run: RunBatch<T, R>;
  readonly #limits: BatchLimits;
  readonly #waiting: Entry<T, R>[] = [];
  #running = false;

  constructor(run: RunBatch<T, R>, limits: BatchLimits) {
    this.#run = run;
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Rejects with `EncoderError` (`encode_failed`), or with `VisionThreadError` when there is no model. */
  add(item: T): Promise<Batched<R>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#running) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // items added in the same turn of the event loop share a batch
    while (this.#waiting.length > 0) {
      const items = this.#waiting.map(({ item }) => item);
      await this.#encode(this.#waiting.splice(0, batchSize(items, this.#limits)));
    }
    this.#running = false;
  }

  async #encode(entries: readonly Entry<T, R>[]): Promise<void> {
    try {
      const { results, ms } = await this.#run(entries.map(({ item }) => item));
      for (const [index, { resolve }] of entries.entries()) {
        resolve({ result: results[index]!, ms, batch: entries.length });
      }
    } catch (error) {
      await this.#bisect(entries, error);
    }
  }

  async #bisect(entries: readonly Entry<T, R>[], error: unknown): Promise<void> {
    if (entries.length === 1 || error instanceof VisionThreadError) {
      for (const { reject } of entries) reject(reason(error));
      return;
    }
    const half = Math.ceil(entries.length / 2);
    await this.#encode(entries.slice(0, half));
    await this.#encode(entries.slice(half));
  }
}

function reason(error: unknown): unknown {
  if (error instanceof VisionThreadError) return error;
  const message = `The vision encoder refused the image: ${(error as Error).message}`;
  return new EncoderError('encode_failed', message, { cause: error });
}
