import type { Idefics3Preprocessor } from './config.ts';

/** Raised when the same options should no longer give the same pixels. */
const PREPROCESSING_VERSION = 2;

/** Every option is named with its effective value, so that a file that states a default changes nothing. */
export function processingOptions(config: Idefics3Preprocessor): Record<string, unknown> {
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
    ...(config.video_sampling === undefined
      ? {}
      : { frame_longest_edge: config.video_sampling.video_size.longest_edge }),
  };
}
