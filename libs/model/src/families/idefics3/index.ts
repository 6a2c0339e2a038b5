import type { FamilyModel, ModelFamily } from '../../family/family.ts';
import { readIdefics3Config } from './config.ts';
import { frameLayout, idefics3Layout, type Idefics3Geometry } from './geometry.ts';
import { IMAGE_TOKEN, imageMarkup } from './markup.ts';
import { processingOptions } from './processing.ts';
import { readGeometry } from './read-geometry.ts';

/** SmolVLM, SmolVLM2, Idefics3 and the Docling models made of them. */
export const idefics3: ModelFamily<Idefics3Geometry> = {
  name: 'idefics3',
  modelTypes: ['smolvlm', 'idefics3'],
  read: (files): FamilyModel<Idefics3Geometry> => {
    const config = readIdefics3Config(files);
    const { model_type, scale_factor, vision_config, text_config } = config.model;
    return {
      text: {
        hiddenSize: text_config.hidden_size,
        contextLength: text_config.max_position_embeddings,
      },
      deepstackLevels: 0,
      rowToken: { text: IMAGE_TOKEN, id: config.model.image_token_id },
      placeholder: IMAGE_TOKEN,
      chatTemplate: null,
      beginsWithBos: true,
      shaping: { model_type, scale_factor, vision_config, hidden_size: text_config.hidden_size },
      processing: processingOptions(config.preprocessor),
      images: (count) => {
        const geometry = readGeometry(files.path, config, count);
        return {
          geometry,
          markup: ({ width, height, isFrame = false }) =>
            imageMarkup((isFrame ? frameLayout : idefics3Layout)(geometry, width, height)),
          grid: null,
        };
      },
    };
  },
};
