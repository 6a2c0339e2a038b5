import type { Embedding } from '@epd/connector';
import type { RewrittenGraph } from '@epd/graph';
import type { VisionItem, VisionShape } from '@epd/model/preprocess';

/** Start options of the model's thread. */
export interface VisionOptions {
  readonly modelPath: string;
  /** Folder for fused graphs. */
  readonly cacheFolder: string;
  /** ONNX Runtime's execution providers, first choice first. */
  readonly executionProviders: readonly string[];
  /** Threads inside one run; 0 leaves it to ONNX Runtime. */
  readonly threads: number;
  /** Width of an embedding. */
  readonly width: number;
  /** An item to try graphs with. */
  readonly shape: VisionShape;
}

export type ToThread =
  | {
      readonly type: 'encode';
      readonly id: number;
      readonly items: readonly VisionItem[];
      /** At most this many parts go into one run of the graph. */
      readonly partsPerRun: number;
    }
  | { readonly type: 'close' };

/** How the graph was prepared; not `rewritten`: it runs as exported, which is slower. */
export type Preparation = Pick<RewrittenGraph, 'rewritten' | 'note'>;

export type FromThread =
  | { readonly type: 'ready'; readonly preparation: Preparation }
  | {
      readonly type: 'encoded';
      readonly id: number;
      readonly ms: number;
      readonly embeddings: readonly Embedding[];
    }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
