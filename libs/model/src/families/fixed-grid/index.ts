import { Type } from 'typebox';
import { held } from '../../files/json-file.ts';
import type { ModelFiles } from '../../files/model-files.ts';
import type { FamilyModel, ModelFamily } from '../../family/family.ts';
import { imageOptions } from '../../family/image-options.ts';
import { textFacts } from '../../family/text-facts.ts';
import type { FixedGridGeometry } from './geometry.ts';
import { KINDS, type FixedGridKind } from './kinds.ts';
import { rowsPerImage } from './rows.ts';
import { readSquare } from './square.ts';

/** Raised when the same options should no longer give the same pixels. */
const PREPROCESSING_VERSION = 1;
/** Pillow's bicubic, which these image processors take when a model's files do not say. */
export const DEFAULT_RESAMPLE = 3;

/** LLaVA, LLaVA-OneVision in a single view, FastVLM, PaliGemma and Gemma 3. */
export const fixedGrid: ModelFamily<FixedGridGeometry> = {
  name: 'fixed-grid',
  modelTypes: Object.keys(KINDS),
  read: (files) => read(files, KINDS[files.config.model_type] as FixedGridKind),
};

function read(files: ModelFiles, kind: FixedGridKind): FamilyModel<FixedGridGeometry> {
  const square = readSquare(files);
  const rows = rowsPerImage(files, square.edge);
  const text = textFacts(files);
  const { model_type, vision_config } = held(files.path, 'config.json', Shaping, files.config);
  const options = imageOptions(files, DEFAULT_RESAMPLE);
  return {
    text,
    deepstackLevels: 0,
    rowToken: { text: kind.rowToken, id: imageTokenId(files) },
    placeholder: kind.placeholder,
    chatTemplate: kind.chatTemplate,
    beginsWithBos: kind.beginsWithBos,
    shaping: { model_type, vision_config, hidden_size: text.hiddenSize },
    processing: { version: PREPROCESSING_VERSION, ...square, ...options },
    images: (count) => {
      const markers = count(kind.before) + count(kind.after);
      return {
        geometry: { family: 'fixed-grid', edge: square.edge, rowsPerImage: rows, markers },
        markup: () => [{ text: kind.before }, { rows }, { text: kind.after }],
        grid: null,
      };
    },
  };
}

const Shaping = Type.Object({
  model_type: Type.String(),
  vision_config: Type.Optional(Type.Unknown()),
});
const TokenId = Type.Integer({ minimum: 0 });
const ById = Type.Object({ image_token_id: TokenId });
const ByIndex = Type.Object({ image_token_index: TokenId });

/** Older files call it an index. */
function imageTokenId({ path, config }: ModelFiles): number {
  if ('image_token_id' in config) return held(path, 'config.json', ById, config).image_token_id;
  return held(path, 'config.json', ByIndex, config).image_token_index;
}
