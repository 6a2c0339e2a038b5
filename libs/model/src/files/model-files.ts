import type { JsonObject, GenerationConfig, ModelConfig, ProcessorConfig } from './configs.ts';

/** The files of a model folder, but for its tokenizer's and its graphs. */
export interface ModelFiles {
  readonly path: string;
  readonly config: ModelConfig;
  readonly preprocessor: JsonObject;
  readonly processor: ProcessorConfig;
  readonly generation: GenerationConfig;
  /** Visual tokens that one image may take; larger ones are scaled down where the family can. */
  readonly imageTokensMax: number;
}
