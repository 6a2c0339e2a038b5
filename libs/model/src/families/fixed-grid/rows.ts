import { join } from 'node:path';
import { Type } from 'typebox';
import { ModelFolderError } from '../../errors.ts';
import { held } from '../../files/json-file.ts';
import type { ModelFiles } from '../../files/model-files.ts';

const Count = Type.Optional(Type.Integer({ minimum: 1 }));
const Config = Type.Object({
  mm_tokens_per_image: Count,
  image_seq_length: Count,
  vision_config: Type.Optional(Type.Object({ patch_size: Count })),
});
const Preprocessor = Type.Object({ image_seq_length: Count });
const Processor = Type.Object({
  image_seq_length: Count,
  num_image_tokens: Count,
  patch_size: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
  num_additional_image_tokens: Type.Optional(Type.Integer({ minimum: 0 })),
  vision_feature_select_strategy: Type.Optional(Type.Union([Type.String(), Type.Null()])),
});

/** Rows of an image's embedding: as the folder says, else one for each patch. Throws `ModelFolderError`. */
export function rowsPerImage(files: ModelFiles, edge: number): number {
  const config = held(files.path, 'config.json', Config, files.config);
  const preprocessor = held(
    files.path,
    'preprocessor_config.json',
    Preprocessor,
    files.preprocessor,
  );
  const processor = held(files.path, 'processor_config.json', Processor, files.processor);
  const said =
    processor.image_seq_length ??
    preprocessor.image_seq_length ??
    processor.num_image_tokens ??
    config.mm_tokens_per_image;
  if (said !== undefined) return said;
  const patch = processor.patch_size ?? null;
  if (patch !== null) {
    const chosen = processor.vision_feature_select_strategy === 'default' ? -1 : 0;
    return Math.floor(edge / patch) ** 2 + (processor.num_additional_image_tokens ?? 0) + chosen;
  }
  const own = config.vision_config?.patch_size;
  if (config.image_seq_length !== undefined) return config.image_seq_length;
  if (own !== undefined) return Math.floor(edge / own) ** 2;
  throw new ModelFolderError('invalid_config', {
    file: join(files.path, 'processor_config.json'),
    expected: 'patch_size or image_seq_length, which tell the rows of an image',
    found: 'neither',
  });
}
