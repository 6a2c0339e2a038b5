import {
  pooledVector,
  vectorFromText,
  type CompletionEvent,
  type EmbeddingStore,
} from '@epd/connector';
import type { ModelRegistry } from '@epd/fleet';

/** Vectors of events that a notice may ask for a little later: about 3 MB with 768 values each. */
const REMEMBERED = 1_000;
/** Loads that run at once: hides a bucket's latency, and bounds memory by as many embeddings. */
const LOADS = 8;

/** What of an image its vector is found by. */
export interface Wanted {
  readonly mmHash: string;
  readonly model: string;
  readonly fingerprint: string;
}

export interface VectorsParts {
  readonly embeddings: Pick<EmbeddingStore, 'load'>;
  readonly models: Pick<ModelRegistry, 'model'>;
}

/** Pooled vectors by `mm_hash`: as an event brought them, or made from the rows in the store. */
export class Vectors {
  readonly #parts: VectorsParts;
  readonly #recent = new Map<string, Float32Array>();

  constructor(parts: VectorsParts) {
    this.#parts = parts;
  }

  /** Remembers an event's vector, if it brought one. */
  remember(event: CompletionEvent): void {
    if (event.outcome !== 'stored' || event.item?.vector === undefined) return;
    const vector = vectorFromText(event.item.vector);
    if (vector?.length !== event.width) return;
    this.#recent.set(event.mmHash, vector);
    if (this.#recent.size > REMEMBERED) this.#recent.delete(this.#recent.keys().next().value!);
  }

  recent(mmHash: string): Float32Array | undefined {
    return this.#recent.get(mmHash);
  }

  /** From the store; missing embeddings, and those of another version of the model, are left out. */
  async load(wanted: readonly Wanted[]): Promise<Map<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    const waiting = new Map(wanted.map((each) => [each.mmHash, each])).values();
    const loadNext = async (): Promise<void> => {
      for (const each of waiting) {
        const vector = await this.#load(each);
        if (vector) found.set(each.mmHash, vector);
      }
    };
    await Promise.all(Array.from({ length: LOADS }, loadNext));
    return found;
  }

  async #load({ mmHash, model, fingerprint }: Wanted): Promise<Float32Array | null> {
    const card = await this.#parts.models.model(model);
    if (card?.fingerprint !== fingerprint) return null;
    const spec = { mmHash, fingerprint, width: card.hiddenSize };
    const loaded = await this.#parts.embeddings.load(spec);
    return loaded && pooledVector(loaded.embedding);
  }
}
