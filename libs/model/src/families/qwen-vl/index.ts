import type { FamilyModel, ModelFamily } from '../../family/family.ts';
import { imageOptions } from '../../family/image-options.ts';
import { textFacts } from '../../family/text-facts.ts';
import { readQwenVlConfig, readQwenVlGeometry } from './config.ts';
import { qwenVlLayout, type QwenVlGeometry } from './geometry.ts';

/** Raised when the same options should no longer give the same pixels. */
const PREPROCESSING_VERSION = 1;
/** Pillow's bicubic, which the reference takes when a model's files do not say. */
export const DEFAULT_RESAMPLE = 3;

/** How each model writes the token of an image's rows. Its template writes it once. */
const ROW_TOKENS: Readonly<Record<string, string>> = {
  qwen2_vl: '<|image_pad|>',
  qwen2_5_vl: '<|image_pad|>',
  qwen3_vl: '<|image_pad|>',
  glm_ocr: '<|image|>',
};

/** Qwen2-VL, Qwen2.5-VL, Qwen3-VL and GLM-OCR: images of any shape, positions in three dimensions. */
export const qwenVl: ModelFamily<QwenVlGeometry> = {
  name: 'qwen-vl',
  modelTypes: Object.keys(ROW_TOKENS),
  read: (files): FamilyModel<QwenVlGeometry> => {
    const config = readQwenVlConfig(files);
    const { model_type, vision_config } = config;
    const geometry = readQwenVlGeometry(files, config);
    const text = textFacts(files);
    const rowToken = ROW_TOKENS[model_type] ?? '';
    return {
      text,
      deepstackLevels: vision_config.deepstack_visual_indexes?.length ?? 0,
      rowToken: { text: rowToken, id: config.image_token_id },
      placeholder: rowToken,
      chatTemplate: null,
      beginsWithBos: true,
      shaping: { model_type, vision_config, hidden_size: text.hiddenSize },
      processing: {
        version: PREPROCESSING_VERSION,
        ...geometry,
        ...imageOptions(files, DEFAULT_RESAMPLE),
      },
      images: () => ({
        geometry,
        markup: ({ width, height }) => [{ rows: qwenVlLayout(geometry, width, height).tokens }],
        grid: ({ width, height }) => {
          const { rows, cols } = qwenVlLayout(geometry, width, height);
          return { rows: rows / geometry.merge, cols: cols / geometry.merge };
        },
      }),
    };
  },
};
