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

/** Both sides of the connector, as this process plays them. */
export interface ECConnector {
  readonly scheduler: ECSchedulerConnector;
  readonly worker: ECWorkerConnector;
}

/** Where embeddings go once they are here. */
export interface EmbeddingSink {
  keep(embedding: SharedEmbedding): void;
  forget(mmHash: string): void;
}

/** What a step of the connector brought. */
export interface Arrivals {
  readonly loaded: readonly LoadReport[];
  /** A load found nothing usable. */
  readonly failed: boolean;
  readonly unavailable: ReadonlyMap<string, { mmHash: string; error: ItemError }>;
}

/** Embeddings take at most this many bytes per element: what a reservation counts with. */
const BYTES_PER_ELEMENT_MAX = 4;

/**
 * Brings images' embeddings in: asks the connector for what waiting prompts need, reserves room, names
 * what the next step is to load, and hands what has arrived to the runner. Nothing here waits for
 * anything.
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

  /** Takes in what has been loaded, and learns what never will be, or has to be looked for again. */
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

  /** Sees to it that what the request needs past `computed` is, or comes to be, in the store. */
  ask(request: ECRequest, computed: number): void {
    this.#connector.scheduler.ensureCacheAvailable(request, computed);
  }

  /**
   * Takes room for the images that the sequence needs past `computed`, in the order of the prompt and
   * only up to the first that is not in the store: room is held for what is wanted next, not for later.
   */
  reserve(sequence: Sequence, request: ECRequest, computed: number): void {
    const { scheduler } = this.#connector;
    // While it waits, others may have computed a beginning that it shares.
    this.release(sequence, computed);
    // It would only come to where it was: room would be held until the next image is made.
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

  /** What it holds for later must not be in the way of what it needs first, which may be shown again. */
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

  /** An image ahead whose embedding is here and is not of the size that the prompt has room for. */
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

  /** What the next step is to load: all that room was taken for. */
  nextLoads(): ECConnectorMetadata {
    return this.#connector.scheduler.buildConnectorMeta();
  }

  /** The sequence no longer needs the images whose last use lies before `computed`. */
  release(sequence: Sequence, computed: number): void {
    for (const [mmHash, end] of sequence.lastUses)
      if (end <= computed) this.#account.release(mmHash, sequence);
  }

  letGo(sequence: Sequence): void {
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

/** The runner reads the same memory; what a connector keeps elsewhere is copied once. */
function shared(mmHash: string, { rows, width, dtype, data }: Embedding): SharedEmbedding {
  return { mmHash, rows, width, dtype, data: toSharedBytes(data) };
}
