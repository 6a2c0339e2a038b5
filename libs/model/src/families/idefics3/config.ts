import { Type, type Static } from 'typebox';
import { held } from '../../files/json-file.ts';
import type { ModelFiles } from '../../files/model-files.ts';

const Edge = Type.Integer({ minimum: 1 });
const PerChannel = Type.Array(Type.Number(), { minItems: 3, maxItems: 3 });

const Model = Type.Object({
  model_type: Type.String(),
  image_token_id: Type.Integer({ minimum: 0 }),
  scale_factor: Type.Integer({ minimum: 1 }),
  text_config: Type.Object({
    hidden_size: Edge,
    max_position_embeddings: Edge,
    vocab_size: Edge,
  }),
  vision_config: Type.Object({ image_size: Edge, patch_size: Edge }),
});

const Preprocessor = Type.Object({
  image_processor_type: Type.Optional(Type.String()),
  do_convert_rgb: Type.Optional(Type.Boolean()),
  do_resize: Type.Optional(Type.Boolean()),
  size: Type.Optional(Type.Object({ longest_edge: Edge })),
  resample: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
  do_image_splitting: Type.Optional(Type.Boolean()),
  max_image_size: Type.Object({ longest_edge: Edge }),
  do_rescale: Type.Optional(Type.Boolean()),
  rescale_factor: Type.Optional(Type.Number()),
  do_normalize: Type.Optional(Type.Boolean()),
  image_mean: Type.Optional(PerChannel),
  image_std: Type.Optional(PerChannel),
  /** Of models that were trained on videos. */
  video_sampling: Type.Optional(
    Type.Object({
      fps: Type.Number({ exclusiveMinimum: 0 }),
      max_frames: Type.Integer({ minimum: 1, maximum: 999 }),
      video_size: Type.Object({ longest_edge: Edge }),
    }),
  ),
});
export type Idefics3Preprocessor = Static<typeof Preprocessor>;

const Processor = Type.Object({ image_seq_len: Type.Optional(Edge) });

export interface Idefics3Config {
  readonly model: Static<typeof Model>;
  readonly preprocessor: Idefics3Preprocessor;
  readonly processor: Static<typeof Processor>;
}

/** Throws `ModelFolderError` (`invalid_config`). */
export function readIdefics3Config(files: ModelFiles): Idefics3Config {
  return {
    model: held(files.path, 'config.json', Model, files.config),
    preprocessor: readPreprocessor(files),
    processor: held(files.path, 'processor_config.json', Processor, files.processor),
  };
}

export function readPreprocessor({
  path,
  preprocessor,
}: Pick<ModelFiles, 'path' | 'preprocessor'>): Idefics3Preprocessor {
  return held(path, 'preprocessor_config.json', Preprocessor, preprocessor);
}
