import {
  toSharedBytes,
  type ECConnectorMetadata,
  type ECConnectorOutput,
  type ECRequest,
  type ECSchedulerConnector,
  type ECWorkerConnector,
  type Embedding,
  type EncoderCache,
  type EncoderCacheManager,
  type ItemError,
  type LoadReport,
} from '@epd/connector';
import type { SharedEmbedding } from '../../runner/messages.ts';
import { lastPosition, type ImageSpan } from '../sequences/image-span.ts';
import type { ImageGate } from '../schedule/scheduler.ts';
import { byTurn, type Sequence } from '../sequences/sequence.ts';

/** Both sides of the connector: the scheduler's and the worker's. */
export interface ECConnector {
  readonly scheduler: ECSchedulerConnector;
  readonly worker: ECWorkerConnector;
}

/** Receives the embeddings that were loaded. */
export interface EmbeddingSink {
  keep(embedding: SharedEmbedding): void;
  forget(mmHash: string): void;
}

/** The results of one step of the connector. */
export interface Arrivals {
  readonly loaded: readonly LoadReport[];
  /** Loads that found no usable embedding. */
  readonly failed: boolean;
  readonly unavailable: ReadonlyMap<string, { mmHash: string; error: ItemError }>;
}

/** Maximum bytes per element of an embedding: reservations use it. */
const BYTES_PER_ELEMENT_MAX = 4;

/**
 * Loads image embeddings: requests what waiting prompts need from the connector, reserves memory,
 * names what the next step loads, and passes arrivals to the runner. Nothing here blocks.
 */
export class EmbeddingLoader implements ImageGate {
  readonly #connector: ECConnector;
  readonly #account: EncoderCacheManager<Sequence>;
  readonly #sink: EmbeddingSink;
  readonly #width: number;
  readonly #cache: EncoderCache = new Map();

  constructor(
    connector: ECConnector,
    account: EncoderCacheManager<Sequence>,
    sink: EmbeddingSink,
    width: number,
  ) {
    this.#connector = connector;
    this.#account = account;
    this.#sink = sink;
    this.#width = width;
    connector.worker.registerCaches(this.#cache);
  }

  isHere(mmHash: string): boolean {
    return this.#account.isFilled(mmHash);
  }

  bytesOf(rows: number): number {
    return rows * this.#width * BYTES_PER_ELEMENT_MAX;
  }

  limit(sequence: Sequence, computed: number): number {
    for (const image of sequence.images) {
      if (lastPosition(image) < computed || this.isHere(image.mmHash)) continue;
      return image.positions.find((position) => position >= computed) ?? sequence.length;
    }
    return sequence.length;
  }

  reach(sequence: Sequence, computed: number): number {
    for (const image of sequence.imagesAhead(computed)) {
      if (this.isHere(image.mmHash)) continue;
      if (this.#connector.scheduler.hasCacheItem(image.mmHash)) continue;
      return image.positions.find((position) => position >= computed) ?? sequence.length;
    }
    return sequence.length;
  }

  /**
   * Processes the results of the connector: loaded embeddings, failed encodes, and loads to retry.
   */
  collect(output: ECConnectorOutput): Arrivals {
    const { scheduler } = this.#connector;
    for (const mmHash of output.finishedReceiving) this.#receive(mmHash);
    for (const mmHash of output.failedReceiving) this.#account.discard(mmHash);
    scheduler.updateConnectorOutput(output);
    return {
      loaded: output.reports,
      failed: output.failedReceiving.size > 0,
      unavailable: scheduler.takeUnavailableRequests(),
    };
  }

  /**
   * Ensures that the images that the request needs past `computed` are in the store or requested
   * from encoders.
   */
  ask(request: ECRequest, computed: number): void {
    this.#connector.scheduler.ensureCacheAvailable(request, computed);
  }

  /**
   * Reserves memory for the images that the sequence needs past `computed`, in the order of the
   * prompt and only up to the first that is not in the store: it reserves for the next images, not
   * for later ones.
   */
  reserve(sequence: Sequence, request: ECRequest, computed: number): void {
    const { scheduler } = this.#connector;
    // While it waited, other sequences may have computed a shared prefix.
    this.release(sequence, computed);
    // It would only reach where it was before: the memory would stay reserved until the next image
    // is encoded.
    if (this.reach(sequence, computed) <= sequence.reached) return;
    const ahead = sequence.imagesAhead(computed);
    for (const [at, image] of ahead.entries()) {
      if (this.#account.has(image.mmHash)) {
        this.#account.acquire(image.mmHash, sequence);
        continue;
      }
      if (!scheduler.hasCacheItem(image.mmHash)) return;
      this.#releaseLater(sequence, ahead, at);
      if (!this.#take(sequence, image)) return;
      scheduler.updateStateAfterAlloc(request, image.index);
    }
  }

  /**
   * Reservations for later images must not block the ones it needs first, which may occur again.
   */
  #releaseLater(sequence: Sequence, ahead: readonly ImageSpan[], at: number): void {
    const first = new Set(ahead.slice(0, at + 1).map(({ mmHash }) => mmHash));
    for (const { mmHash } of ahead.slice(at + 1))
      if (!first.has(mmHash)) this.#account.release(mmHash, sequence);
  }

  #take(sequence: Sequence, { mmHash, rows }: ImageSpan): boolean {
    const yields = (other: Sequence): boolean => byTurn(sequence, other) < 0;
    const evicted = this.#account.reserve(mmHash, this.bytesOf(rows), sequence, yields);
    for (const other of evicted ?? []) this.#forget(other);
    return evicted !== null;
  }

  /** The first image ahead whose loaded embedding differs in size from its span in the prompt. */
  misfit(sequence: Sequence, computed: number): { index: number; message: string } | null {
    for (const { mmHash, index, rows } of sequence.imagesAhead(computed)) {
      const embedding = this.#cache.get(mmHash);
      if (!embedding || !this.isHere(mmHash)) continue;
      if (embedding.rows === rows && embedding.width === this.#width) continue;
      const found = `[${embedding.rows}, ${embedding.width}]`;
      return { index, message: `Expected embeddings [${rows}, ${this.#width}], found ${found}` };
    }
    return null;
  }

  /** The loads of the next step: all images with reserved memory. */
  nextLoads(): ECConnectorMetadata {
    return this.#connector.scheduler.buildConnectorMeta();
  }

  /** Releases the images whose last use by the sequence is before `computed`. */
  release(sequence: Sequence, computed: number): void {
    for (const [mmHash, end] of sequence.lastUses)
      if (end <= computed) this.#account.release(mmHash, sequence);
  }

  releaseAll(sequence: Sequence): void {
    this.#account.releaseAll(sequence);
  }

  #receive(mmHash: string): void {
    const embedding = this.#cache.get(mmHash);
    if (!embedding || !this.#account.has(mmHash)) return;
    this.#account.settle(mmHash, embedding.data.byteLength);
    this.#sink.keep(shared(mmHash, embedding));
  }

  #forget(mmHash: string): void {
    this.#cache.delete(mmHash);
    this.#sink.forget(mmHash);
  }
}

/** The runner reads the same memory; data that the connector keeps elsewhere is copied once. */
function shared(mmHash: string, { rows, width, dtype, data }: Embedding): SharedEmbedding {
  return { mmHash, rows, width, dtype, data: toSharedBytes(data) };
}
