import { Type } from 'typebox';
import { held } from '../files/json-file.ts';
import type { ModelFiles } from '../files/model-files.ts';

const Size = Type.Optional(Type.Integer({ minimum: 1 }));
const Text = Type.Object({
  model_type: Type.Optional(Type.String()),
  hidden_size: Size,
  max_position_embeddings: Size,
});
const Model = Type.Object({ text_config: Type.Optional(Text), hidden_size: Size });

/** What PyTorch takes where a file leaves a size out, by the text model's type. */
const DEFAULTS: Readonly<Record<string, { hiddenSize?: number; contextLength: number }>> = {
  llama: { hiddenSize: 4096, contextLength: 2048 },
  gemma: { contextLength: 8192 },
  gemma2: { contextLength: 8192 },
  gemma3_text: { contextLength: 131_072 },
  qwen2: { contextLength: 32_768 },
};

/** The text model's sizes, from `text_config` or, in older files, from the top. Throws `ModelFolderError`. */
export function textFacts({ path, config }: Pick<ModelFiles, 'path' | 'config'>): {
  hiddenSize: number;
  contextLength: number;
} {
  const { text_config } = held(path, 'config.json', Model, config);
  const text = held(path, 'config.json', Text, text_config ?? config);
  const defaults = DEFAULTS[text.model_type ?? ''];
  const sizes = {
    hidden_size: text.hidden_size ?? defaults?.hiddenSize,
    max_position_embeddings: text.max_position_embeddings ?? defaults?.contextLength,
  };
  const known = held(path, 'config.json', KNOWN, sizes);
  return { hiddenSize: known.hidden_size, contextLength: known.max_position_embeddings };
}

const KNOWN = Type.Object({
  hidden_size: Type.Integer({ minimum: 1 }),
  max_position_embeddings: Type.Integer({ minimum: 1 }),
});
