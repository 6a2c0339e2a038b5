import { Type } from 'typebox';
import { held } from '../files/json-file.ts';
import type { Normalization } from '../pixels/planes.ts';
import type { PixelFiles } from './preprocess.ts';

const PerChannel = Type.Array(Type.Number(), { minItems: 3, maxItems: 3 });
const Options = Type.Object({
  resample: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
  do_rescale: Type.Optional(Type.Boolean()),
  rescale_factor: Type.Optional(Type.Number()),
  do_normalize: Type.Optional(Type.Boolean()),
  image_mean: Type.Optional(PerChannel),
  image_std: Type.Optional(PerChannel),
});
const WithNormalization = Type.Object({ image_mean: PerChannel, image_std: PerChannel });

/** How most image processors scale and normalise, with effective values. */
export interface ImageOptions extends Normalization {
  /** Pillow's number. */
  readonly resample: number;
}

/** Throws `ModelFolderError` when normalization is asked for without its numbers. */
export function imageOptions({ path, preprocessor }: PixelFiles, resample: number): ImageOptions {
  const name = 'preprocessor_config.json';
  const options = held(path, name, Options, preprocessor);
  const normalizes = options.do_normalize ?? true;
  const { image_mean, image_std } = normalizes
    ? held(path, name, WithNormalization, preprocessor)
    : { image_mean: [], image_std: [] };
  return {
    resample: options.resample ?? resample,
    factor: (options.do_rescale ?? true) ? (options.rescale_factor ?? 1 / 255) : 1,
    mean: image_mean,
    std: image_std,
  };
}
