import type { Embedding } from '@epd/connector';

/** What the model's thread is started with. */
export interface VisionOptions {
  readonly modelPath: string;
  /** Where fused graphs are kept. */
  readonly cacheFolder: string;
  /** ONNX Runtime's execution providers, first choice first. */
  readonly executionProviders: readonly string[];
  /** Threads inside one run; 0 leaves it to ONNX Runtime. */
  readonly threads: number;
  /** Side of a tile, in pixels. */
  readonly side: number;
  /** Embeddings per tile, and their width. */
  readonly rowsPerTile: number;
  readonly width: number;
}

/** Pixels of one image: `[tiles, 3, side, side]`, in shared memory. */
export interface ImageTiles {
  readonly tiles: number;
  readonly data: Float32Array<SharedArrayBuffer>;
}

export type ToThread =
  | {
      readonly type: 'encode';
      readonly id: number;
      readonly images: readonly ImageTiles[];
      /** At most this many tiles go into one run of the graph. */
      readonly tilesPerRun: number;
    }
  | { readonly type: 'close' };

export type FromThread =
  /** `preparation`: how the graph that is run was come by. */
  | { readonly type: 'ready'; readonly preparation: string }
  | {
      readonly type: 'encoded';
      readonly id: number;
      readonly ms: number;
      readonly embeddings: readonly Embedding[];
    }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
