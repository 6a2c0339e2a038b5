/** Stored element types, in safetensors' names. */
export type EmbeddingDtype = 'F32' | 'F16' | 'BF16';

/** One image's embeddings: row-major `[rows, width]`, little endian. */
export interface Embedding {
  readonly rows: number;
  readonly width: number;
  readonly dtype: EmbeddingDtype;
  /** `rows * width * bytesPerElement(dtype)` bytes. */
  readonly data: Uint8Array;
}

/**
 * What a reader expects of a stored embedding; anything else is a miss. `rows` omitted: any number.
 */
export interface EmbeddingSpec {
  readonly mmHash: string;
  readonly fingerprint: string;
  readonly width: number;
  readonly rows?: number;
}
