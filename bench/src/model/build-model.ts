import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configFiles } from './configs.ts';
import { decoder } from './decoder.ts';
import { embedTokens } from './embed-tokens.ts';
import type { ModelShape } from './shape.ts';
import { visionEncoder } from './vision-encoder.ts';
import { exists } from './exists.ts';

/** Where models are built, and whose tokenizer they have, relative to the project. */
export const MODELS_CACHE = '.cache/bench/models';
export const TOKENIZER_FOLDER = 'models/tiny-vlm';

/** Raised when the same shape should be built anew. */
const FORMAT = 1;
const SEED = 20_261_122;
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.json'];

/**
 * A model folder of the given shape with random weights, in the layout of ONNX exports on the Hub:
 * built below `cacheFolder` on the first call, found there afterwards. The tokenizer is copied from
 * `tokenizerFolder`. A build that dies leaves nothing that could be taken for a model.
 */
export async function buildModel(
  shape: ModelShape,
  {
    cacheFolder,
    tokenizerFolder,
  }: { readonly cacheFolder: string; readonly tokenizerFolder: string },
): Promise<string> {
  const folder = join(cacheFolder, `v${FORMAT}`, shape.name);
  if (await exists(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.`);
  try {
    await writeModel(shape, unfinished, tokenizerFolder);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

async function writeModel(
  shape: ModelShape,
  folder: string,
  tokenizerFolder: string,
): Promise<void> {
  const ids = await tokenizerIds(tokenizerFolder);
  await mkdir(join(folder, 'onnx'));
  for (const [name, value] of Object.entries(configFiles(shape))) {
    await writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  }
  for (const name of TOKENIZER_FILES)
    await copyFile(join(tokenizerFolder, name), join(folder, name));
  // One graph at a time: each holds its weights in memory, twice while it is written.
  await writeFile(join(folder, 'onnx/embed_tokens.onnx'), embedTokens(shape, SEED));
  await writeFile(join(folder, 'onnx/vision_encoder.onnx'), visionEncoder(shape, SEED));
  await writeFile(join(folder, 'onnx/decoder_model_merged.onnx'), decoder(shape, SEED, ids));
}

/** How many ids the tokenizer knows, and how many of them, counted from 0, are special. */
async function tokenizerIds(folder: string): Promise<{ tokens: number; special: number }> {
  const file = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')) as {
    added_tokens: { id: number }[];
    model: { vocab: Record<string, number> };
  };
  const special = file.added_tokens.map(({ id }) => id);
  return {
    tokens: Math.max(...special, ...Object.values(file.model.vocab)) + 1,
    special: Math.max(...special) + 1,
  };
}
