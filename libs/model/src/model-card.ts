import type { ImageGeometry } from './geometry.ts';
import type { PreprocessorConfig } from './configs.ts';
import type { ModelFolder } from './model-folder.ts';
import { readGeometry } from './read-geometry.ts';
import { Tokenizer } from './tokenizer.ts';

/** What a fleet must know of a model without reading its folder: the fields that workers register. */
export interface ModelFacts {
  readonly v: 1;
  readonly id: string;
  readonly fingerprint: string;
  /** Options of the image processor that shape embeddings: part of an image's `mm_hash`. */
  readonly processing: Record<string, unknown>;
  readonly geometry: ImageGeometry & Record<string, unknown>;
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly createdAtMs: number;
}

export function modelCard(folder: ModelFolder, fingerprint: string): ModelFacts {
  return {
    v: 1,
    id: folder.id,
    fingerprint,
    processing: processingOptions(folder.preprocessor),
    geometry: { ...readGeometry(folder, new Tokenizer(folder)) },
    contextLength: folder.config.text_config.max_position_embeddings,
    hiddenSize: folder.config.text_config.hidden_size,
    createdAtMs: folder.createdAtMs,
  };
}

/** Raised when the same options should no longer give the same pixels. */
const PREPROCESSING_VERSION = 2;

/** Every option is named with its effective value, so that a file that states a default changes nothing. */
function processingOptions(config: PreprocessorConfig): Record<string, unknown> {
  return {
    version: PREPROCESSING_VERSION,
    do_resize: config.do_resize ?? true,
    longest_edge: config.size?.longest_edge ?? null,
    resample: config.resample ?? 2,
    do_image_splitting: config.do_image_splitting ?? true,
    max_image_size: config.max_image_size.longest_edge,
    rescale_factor: (config.do_rescale ?? true) ? (config.rescale_factor ?? 1 / 255) : 1,
    do_normalize: config.do_normalize ?? true,
    image_mean: config.image_mean ?? null,
    image_std: config.image_std ?? null,
  };
}
