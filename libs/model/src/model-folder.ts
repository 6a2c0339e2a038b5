import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Type } from 'typebox';
import {
  ChatTemplateFile,
  GenerationConfig,
  ModelConfig,
  ModelType,
  PreprocessorConfig,
  ProcessorConfig,
  TokenizerConfig,
  TokenizerFile,
} from './configs.ts';
import { ModelFolderError } from './errors.ts';
import { readJson, readJsonIfPresent, readTextIfPresent } from './json-file.ts';
import { findOnnxFiles, type OnnxFiles, type OnnxVariants } from './onnx-files.ts';

/** Families whose image processor, placeholders and graphs are understood. */
export const SUPPORTED_MODEL_TYPES: readonly string[] = ['smolvlm', 'idefics3'];

/** A model folder as read: its configuration checked, its graphs found. Holds no weights. */
export interface ModelFolder {
  readonly id: string;
  readonly path: string;
  /** When its configuration was written, in milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly config: ModelConfig;
  readonly preprocessor: PreprocessorConfig;
  readonly processor: ProcessorConfig;
  readonly generation: GenerationConfig;
  readonly tokenizer: TokenizerFile;
  readonly tokenizerConfig: TokenizerConfig;
  /** Template files beside the tokenizer's configuration; null when there is none. */
  readonly chatTemplate: string | null;
  readonly onnx: OnnxFiles;
}

export interface ModelFolderOptions {
  /** Default: the folder's name. */
  readonly id?: string;
  readonly variants?: OnnxVariants;
}

/**
 * Reads a folder laid out as ONNX exports on the Hugging Face Hub: JSON files at the top, graphs in
 * `onnx/`. Throws `ModelFolderError` for what cannot be used.
 */
export async function readModelFolder(
  path: string,
  options: ModelFolderOptions = {},
): Promise<ModelFolder> {
  const folder = resolve(path);
  const createdAtMs = await writtenAtMs(folder);
  await refuseOtherFamilies(folder);
  return {
    id: options.id ?? basename(folder),
    path: folder,
    createdAtMs,
    config: await readJson(folder, 'config.json', ModelConfig),
    preprocessor: await readJson(folder, 'preprocessor_config.json', PreprocessorConfig),
    processor: (await readJsonIfPresent(folder, 'processor_config.json', ProcessorConfig)) ?? {},
    generation: (await readJsonIfPresent(folder, 'generation_config.json', GenerationConfig)) ?? {},
    tokenizer: await readJson(folder, 'tokenizer.json', TokenizerFile),
    tokenizerConfig: await readJson(folder, 'tokenizer_config.json', TokenizerConfig),
    chatTemplate: await readChatTemplate(folder),
    onnx: await findOnnxFiles(folder, options.variants ?? {}),
  };
}

async function writtenAtMs(folder: string): Promise<number> {
  await stat(folder).catch((cause: unknown) => {
    const facts = { file: folder, expected: 'a model folder', found: 'nothing' };
    throw new ModelFolderError('folder_not_found', facts, { cause });
  });
  const found = await stat(join(folder, 'config.json')).catch(() => null);
  return Math.floor(found?.mtimeMs ?? 0);
}

async function refuseOtherFamilies(folder: string): Promise<void> {
  const { model_type } = await readJson(folder, 'config.json', ModelType);
  if (SUPPORTED_MODEL_TYPES.includes(model_type)) return;
  throw new ModelFolderError('unsupported_model', {
    file: join(folder, 'config.json'),
    expected: `model_type to be one of ${SUPPORTED_MODEL_TYPES.join(', ')}`,
    found: JSON.stringify(model_type),
  });
}

async function readChatTemplate(folder: string): Promise<string | null> {
  const jinja = await readTextIfPresent(join(folder, 'chat_template.jinja'));
  if (jinja !== null) return jinja;
  const file = await readJsonIfPresent(
    folder,
    'chat_template.json',
    Type.Partial(ChatTemplateFile),
  );
  return file?.chat_template ?? null;
}
