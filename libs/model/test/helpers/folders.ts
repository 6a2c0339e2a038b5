import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

export const TINY_VLM = fileURLToPath(new URL('../../../../models/tiny-vlm', import.meta.url));

const CONFIG_FILES = [
  'config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.json',
];

type Json = Record<string, unknown>;

/** A copy of the default model's folder, its graphs linked, that the test may change. */
export async function copyOfTinyVlm(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-model-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  await Promise.all(CONFIG_FILES.map((name) => cp(join(TINY_VLM, name), join(folder, name))));
  await symlink(join(TINY_VLM, 'onnx'), join(folder, 'onnx'));
  return folder;
}

export async function change(
  folder: string,
  name: string,
  edit: (json: Json) => Json,
): Promise<void> {
  const file = join(folder, name);
  const json = JSON.parse(await readFile(file, 'utf8')) as Json;
  await writeFile(file, JSON.stringify(edit(json)));
}

/**
 * The default model with the image processing of SmolVLM-256M: images up to 2048 pixels, cut into
 * tiles of 512, whose markers are tokens of their own.
 */
export async function splittingModel(t: ExecutionContext): Promise<string> {
  const folder = await copyOfTinyVlm(t);
  await change(folder, 'preprocessor_config.json', (config) => ({
    ...config,
    do_image_splitting: true,
    max_image_size: { longest_edge: 512 },
    size: { longest_edge: 2048 },
  }));
  await change(folder, 'config.json', (config) => ({
    ...config,
    vision_config: { ...(config['vision_config'] as Json), image_size: 512, patch_size: 16 },
  }));
  await change(folder, 'processor_config.json', (config) => ({ ...config, image_seq_len: 64 }));
  await change(folder, 'tokenizer.json', (tokenizer) => ({
    ...tokenizer,
    added_tokens: [...(tokenizer['added_tokens'] as Json[]), ...tileTokens(2048)],
  }));
  return folder;
}

const TILE_NAMES_PER_SIDE = 6;

function tileTokens(firstId: number): Json[] {
  const sides = Array.from({ length: TILE_NAMES_PER_SIDE }, (_, index) => index + 1);
  const names = sides.flatMap((row) => sides.map((col) => `<row_${row}_col_${col}>`));
  return names.map((content, index) => ({
    id: firstId + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
}
