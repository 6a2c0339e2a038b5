import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Type } from 'typebox';
import {
  ChatTemplateFile,
  GenerationConfig,
  ModelConfig,
  JsonObject,
  ModelType,
  ProcessorConfig,
  TokenizerConfig,
  TokenizerFile,
} from '../files/configs.ts';
import { embeddingWidth } from './embedding-width.ts';
import { ModelFolderError } from '../errors.ts';
import type { FamilyModel, ModelFamily } from '../family/family.ts';
import type { ImageGeometry } from '../families/geometry.ts';
import { familyOf, SUPPORTED_MODEL_TYPES } from '../families/index.ts';
import { missing, readJson, readJsonIfPresent, readTextIfPresent } from '../files/json-file.ts';
import type { ModelFiles } from '../files/model-files.ts';
import { findOnnxFiles, type OnnxFiles, type OnnxVariants } from '../files/onnx-files.ts';

/**
 * Models whose images keep their shape allow up to 16,384 tokens for one: a minute of a processor, and
 * most of a context. A quarter of it still shows a page of print.
 */
const IMAGE_TOKENS_MAX = 4096;

/** A model folder as read: its configuration checked, its graphs found. Holds no weights. */
export interface ModelFolder extends ModelFiles {
  readonly family: ModelFamily<ImageGeometry>;
  /** What the family makes of the configuration. */
  readonly model: FamilyModel<ImageGeometry>;
  readonly id: string;
  /** Values in a row of an image's embedding. */
  readonly embeddingWidth: number;
  /** When its configuration was written, in milliseconds since the epoch. */
  readonly createdAtMs: number;
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
  /** @default IMAGE_TOKENS_MAX */
  readonly imageTokensMax?: number;
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
  const family = await readFamily(folder);
  await refuseGenaiLayout(folder);
  const onnx = await findOnnxFiles(folder, options.variants ?? {});
  const files = await readFiles(folder, options.imageTokensMax ?? IMAGE_TOKENS_MAX);
  const model = family.read(files);
  return {
    ...files,
    id: options.id ?? basename(folder),
    createdAtMs,
    family,
    model,
    embeddingWidth: await embeddingWidth(model, onnx),
    tokenizer: await readJson(folder, 'tokenizer.json', TokenizerFile),
    tokenizerConfig: await readJson(folder, 'tokenizer_config.json', TokenizerConfig),
    chatTemplate: await readChatTemplate(folder),
    onnx,
  };
}

async function readFiles(path: string, imageTokensMax: number): Promise<ModelFiles> {
  const processor = (await readJsonIfPresent(path, 'processor_config.json', ProcessorConfig)) ?? {};
  const preprocessor =
    (await readJsonIfPresent(path, 'preprocessor_config.json', JsonObject)) ??
    processor.image_processor;
  if (preprocessor === undefined) throw missing(join(path, 'preprocessor_config.json'));
  return {
    path,
    config: await readJson(path, 'config.json', ModelConfig),
    preprocessor,
    processor,
    generation: (await readJsonIfPresent(path, 'generation_config.json', GenerationConfig)) ?? {},
    imageTokensMax,
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

/** The other layout of ONNX exports: other graphs under other names, for another runtime. */
async function refuseGenaiLayout(folder: string): Promise<void> {
  const file = join(folder, 'genai_config.json');
  if ((await readTextIfPresent(file)) === null) return;
  const graphs = await findOnnxFiles(folder, {});
  if (graphs.files.length > 0) return;
  throw new ModelFolderError('unsupported_model', {
    file,
    expected:
      'the layout of transformers.js, with onnx/vision_encoder.onnx, onnx/embed_tokens.onnx and onnx/decoder_model_merged.onnx (repositories of onnx-community have it)',
    found: "only onnxruntime-genai's",
  });
}

async function readFamily(folder: string): Promise<ModelFamily<ImageGeometry>> {
  const { model_type } = await readJson(folder, 'config.json', ModelType);
  const family = familyOf(model_type);
  if (family !== null) return family;
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
