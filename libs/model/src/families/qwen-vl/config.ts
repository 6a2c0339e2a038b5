import { join } from 'node:path';
import { Type, type Static } from 'typebox';
import { ModelFolderError } from '../../errors.ts';
import { held } from '../../files/json-file.ts';
import type { ModelFiles } from '../../files/model-files.ts';
import type { QwenVlGeometry } from './geometry.ts';

const Count = Type.Integer({ minimum: 1 });
const Maybe = Type.Optional(Count);
const Nullable = Type.Optional(Type.Union([Count, Type.Null()]));

const Model = Type.Object({
  model_type: Type.String(),
  image_token_id: Type.Integer({ minimum: 0 }),
  vision_config: Type.Object({
    patch_size: Maybe,
    spatial_merge_size: Maybe,
    temporal_patch_size: Maybe,
    deepstack_visual_indexes: Type.Optional(Type.Array(Type.Integer({ minimum: 0 }))),
  }),
});
export type QwenVlConfig = Static<typeof Model>;

/** Areas, not edges, whatever they are called. */
const Preprocessor = Type.Object({
  patch_size: Maybe,
  merge_size: Maybe,
  temporal_patch_size: Maybe,
  min_pixels: Nullable,
  max_pixels: Nullable,
  size: Type.Optional(Type.Object({ shortest_edge: Maybe, longest_edge: Maybe })),
});

/** What PyTorch takes where a file leaves it out. */
const DEFAULTS = { patch: 14, merge: 2, frames: 2 };
const PIXELS = { min: 56 * 56, max: 28 * 28 * 1280 };
const GLM_PIXELS = { min: 112 * 112, max: 28 * 28 * 15_000 };

export const readQwenVlConfig = (files: ModelFiles): QwenVlConfig =>
  held(files.path, 'config.json', Model, files.config);

/** Throws `ModelFolderError` when the cap on tokens leaves no room for the model's smallest image. */
export function readQwenVlGeometry(files: ModelFiles, config: QwenVlConfig): QwenVlGeometry {
  const options = held(files.path, 'preprocessor_config.json', Preprocessor, files.preprocessor);
  const { vision_config: vision } = config;
  const countsFrames = config.model_type === 'glm_ocr';
  const frames = options.temporal_patch_size ?? vision.temporal_patch_size ?? DEFAULTS.frames;
  const patch = options.patch_size ?? vision.patch_size ?? DEFAULTS.patch;
  const merge = options.merge_size ?? vision.spatial_merge_size ?? DEFAULTS.merge;
  const pixels = countsFrames ? GLM_PIXELS : PIXELS;
  const minPixels = options.min_pixels ?? options.size?.shortest_edge ?? pixels.min;
  const most = options.max_pixels ?? options.size?.longest_edge ?? pixels.max;
  const pixelsPerToken = (patch * merge) ** 2 * (countsFrames ? frames : 1);
  const maxPixels = Math.min(most, files.imageTokensMax * pixelsPerToken);
  if (maxPixels >= minPixels)
    return { family: 'qwen-vl', patch, merge, frames, minPixels, maxPixels, countsFrames };
  throw new ModelFolderError('invalid_config', {
    file: join(files.path, 'preprocessor_config.json'),
    expected: `a cap of at least ${Math.ceil(minPixels / pixelsPerToken)} visual tokens an image, the least that this model makes of one`,
    found: `${files.imageTokensMax} (EPD_IMAGE_TOKENS_MAX)`,
  });
}
