import type {
  Embedding,
  EncodeJob,
  EncodeTimings,
  InputRef,
  ObjectStore,
  Semaphore,
} from '@epd/connector';
import type { ImageCost } from '@epd/model/geometry';
import type { PreparedImage } from '@epd/model/preprocess';
import type { Logger } from '@epd/service';
import type { Batched } from '../batching/batcher.ts';
import type { EncoderMetrics } from '../metrics.ts';
import type { BatchItem } from '../batching/take-batch.ts';
import { checkLayout } from './check-layout.ts';
import { fetchInput } from './fetch-input.ts';
import { persist } from './persist.ts';

/** An image that is prepared for a batch. */
export interface PixelItem extends BatchItem {
  readonly pixels: PreparedImage;
}

export interface ImagePipelineParts {
  readonly maxImageBytes: number;
  readonly inputs: Pick<ObjectStore, 'get'>;
  /** By visual tokens. */
  readonly gate: Semaphore;
  readonly preprocess: (bytes: Uint8Array, input: InputRef) => Promise<PreparedImage>;
  /** The layout of an image of this size, in pixels as displayed. */
  readonly layoutOf: (input: InputRef) => ImageCost;
  /** Preprocessing that takes longer counts as hung; only exiting the process ends it. */
  readonly watch: { readonly runTimeoutMs: number; readonly onHang: () => void };
  readonly encode: (item: PixelItem) => Promise<Batched<Embedding>>;
  readonly metrics: EncoderMetrics;
  readonly log: Logger;
}

export interface EncodedImage {
  readonly embedding: Embedding;
  /** `queueMs` is the time queued for the model. */
  readonly timings: Omit<EncodeTimings, 'saveMs'>;
}

/** From an image's place in the store to its embedding: fetch, preprocess, encode in a batch. */
export class ImagePipeline {
  readonly #parts: ImagePipelineParts;

  constructor(parts: ImagePipelineParts) {
    this.#parts = parts;
  }

  /**
   * `alone`: no other item may be in the batch. Rejects with `EncoderError` for the image's own
   * faults.
   */
  encode(job: EncodeJob, options: { alone: boolean; signal: AbortSignal }): Promise<EncodedImage> {
    const { gate, encode } = this.#parts;
    const { tokens } = job;
    return gate.run(async () => {
      const { pixels, preprocessMs } = await this.#pixels(job, options.signal);
      const addedAt = performance.now();
      const {
        result,
        ms: encodeMs,
        batch,
      } = await encode({ pixels, tokens, alone: options.alone });
      const queueMs = Math.max(0, performance.now() - addedAt - encodeMs);
      return { embedding: result, timings: { queueMs, preprocessMs, encodeMs, batch } };
    }, tokens);
  }

  async #pixels(
    job: EncodeJob,
    signal: AbortSignal,
  ): Promise<{ pixels: PreparedImage; preprocessMs: number }> {
    const { metrics } = this.#parts;
    const startedAt = performance.now();
    const pixels = await this.#preprocess(await this.#fetch(job, signal), job.input);
    const preprocessMs = performance.now() - startedAt;
    metrics.preprocessed(preprocessMs);
    checkLayout(pixels.layout, job, this.#parts.layoutOf);
    return { pixels, preprocessMs };
  }

  async #preprocess(bytes: Uint8Array, input: InputRef): Promise<PreparedImage> {
    const { preprocess, watch } = this.#parts;
    const watchdog = setTimeout(watch.onHang, watch.runTimeoutMs);
    try {
      return await preprocess(bytes, input);
    } finally {
      clearTimeout(watchdog);
    }
  }

  #fetch({ input }: EncodeJob, signal: AbortSignal): Promise<Uint8Array> {
    const { inputs, maxImageBytes: maxBytes, log } = this.#parts;
    return persist('Fetching an image', () => fetchInput(inputs, input, { maxBytes, signal }), {
      signal,
      log,
    });
  }
}
