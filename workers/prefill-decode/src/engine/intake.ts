import type {
  ECRequest,
  ECSchedulerConnector,
  ECWorkerConnector,
  Embedding,
  EncoderCache,
  ItemError,
  LoadReport,
} from '@epd/connector';
import type { SharedEmbedding } from '../runner/messages.ts';
import { EncoderSpace } from './encoder-space.ts';
import { lastPosition, type ImageSpan } from './image-span.ts';
import type { ImageGate } from './scheduler.ts';
import { byTurn, type Sequence } from './sequence.ts';

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

/** What a round with the connector brought. */
export interface Arrivals {
  readonly loaded: readonly LoadReport[];
  /** A load found nothing usable. */
  readonly failed: boolean;
  readonly unavailable: ReadonlyMap<string, { mmHash: string; error: ItemError }>;
}

/** Embeddings take at most this many bytes per element: what a reservation counts with. */
const BYTES_PER_ELEMENT_MAX = 4;

/**
 * Brings images' embeddings in: asks the connector for what waiting prompts need, reserves room, lets
 * loads begin, and hands what has arrived to the runner. Nothing here waits for anything.
 */
export class EmbeddingIntake implements ImageGate {
  readonly #connector: ECConnector;
  readonly #space: EncoderSpace<Sequence>;
  readonly #sink: EmbeddingSink;
  readonly #width: number;
  readonly #cache: EncoderCache = new Map();

  constructor(
    connector: ECConnector,
    space: EncoderSpace<Sequence>,
    sink: EmbeddingSink,
    width: number,
  ) {
    this.#connector = connector;
    this.#space = space;
    this.#sink = sink;
    this.#width = width;
    connector.worker.registerCaches(this.#cache);
  }

  /** True while a load is under way whose end nobody will announce. */
  get loading(): boolean {
    return this.#space.loading > 0;
  }

  isHere(mmHash: string): boolean {
    return this.#space.isReady(mmHash);
  }

  bytesOf(rows: number): number {
    return rows * this.#width * BYTES_PER_ELEMENT_MAX;
  }

  limit(sequence: Sequence, computed: number): number {
    for (const image of sequence.images) {
      if (lastPosition(image) < computed || this.#space.isReady(image.mmHash)) continue;
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
  collect(): Arrivals {
    const { scheduler, worker } = this.#connector;
    const output = worker.getFinished();
    for (const mmHash of output.finishedReceiving) this.#receive(mmHash);
    for (const mmHash of output.failedReceiving) this.#space.remove(mmHash);
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
    // It would only come to where it was: room would be held until the next image is made.
    if (this.reach(sequence, computed) <= sequence.reached) return;
    const ahead = sequence.imagesAhead(computed);
    for (const [at, image] of ahead.entries()) {
      if (this.#space.use(image.mmHash, sequence)) continue;
      if (!scheduler.hasCacheItem(image.mmHash)) return;
      // What it holds for later must not be in the way of what it needs first.
      for (const later of ahead.slice(at + 1)) this.#space.release(later.mmHash, sequence);
      if (!this.#take(sequence, image)) return;
      scheduler.updateStateAfterAlloc(request, image.index);
    }
  }

  #take(sequence: Sequence, { mmHash, rows }: ImageSpan): boolean {
    const yields = (other: Sequence): boolean => byTurn(sequence, other) < 0;
    const evicted = this.#space.reserve(mmHash, this.bytesOf(rows), sequence, yields);
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

  /** Lets the loads that were noted begin. */
  dispatch(): void {
    const { scheduler, worker } = this.#connector;
    const metadata = scheduler.buildConnectorMeta();
    if (metadata.loads.length === 0) return;
    worker.bindConnectorMetadata(metadata);
    worker.startLoadCaches();
    worker.clearConnectorMetadata();
  }

  /** The sequence no longer needs the images that lie before `computed`. */
  release(sequence: Sequence, computed: number): void {
    for (const image of sequence.images) {
      if (lastPosition(image) < computed) this.#space.release(image.mmHash, sequence);
    }
  }

  letGo(sequence: Sequence): void {
    this.release(sequence, Infinity);
  }

  #receive(mmHash: string): void {
    const embedding = this.#cache.get(mmHash);
    if (!embedding) return;
    this.#space.settle(mmHash, embedding.data.byteLength);
    this.#sink.keep(shared(mmHash, embedding));
  }

  #forget(mmHash: string): void {
    this.#cache.delete(mmHash);
    this.#sink.forget(mmHash);
  }
}

/** The runner reads the same memory; what a connector keeps elsewhere is copied once. */
function shared(mmHash: string, { rows, width, dtype, data }: Embedding): SharedEmbedding {
  if (data.buffer instanceof SharedArrayBuffer) {
    return { mmHash, rows, width, dtype, data: data as Uint8Array<SharedArrayBuffer> };
  }
  const copy = new Uint8Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return { mmHash, rows, width, dtype, data: copy };
}
