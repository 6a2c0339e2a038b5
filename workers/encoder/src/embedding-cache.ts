import type { Embedding } from '@epd/connector';

/**
 * The encoder cache: embeddings by `mm_hash`, as the EC connector reads them. Besides embeddings
 * that are being saved it keeps the latest up to `maxBytes`, so that one the store has lost is
 * saved again, not encoded again.
 */
export class EmbeddingCache extends Map<string, Embedding> {
  readonly #maxBytes: number;
  readonly #pinned = new Map<string, number>();

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  /** Holds the embedding while `use` runs: it is in the map, whatever its size. */
  async pinned<R>(mmHash: string, embedding: Embedding, use: () => Promise<R>): Promise<R> {
    this.delete(mmHash);
    this.set(mmHash, embedding);
    this.#pinned.set(mmHash, (this.#pinned.get(mmHash) ?? 0) + 1);
    try {
      return await use();
    } finally {
      this.#unpin(mmHash);
      this.#evict();
    }
  }

  #unpin(mmHash: string): void {
    const pins = (this.#pinned.get(mmHash) ?? 1) - 1;
    if (pins > 0) this.#pinned.set(mmHash, pins);
    else this.#pinned.delete(mmHash);
  }

  #evict(): void {
    let bytes = 0;
    for (const { data } of this.values()) bytes += data.byteLength;
    for (const [mmHash, { data }] of this) {
      if (bytes <= this.#maxBytes) return;
      if (this.#pinned.has(mmHash)) continue;
      this.delete(mmHash);
      bytes -= data.byteLength;
    }
  }
}
