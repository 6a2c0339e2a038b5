import { join } from 'node:path';
import { ModelFolderError } from './errors.ts';
import type { ModelFolder } from './model-folder.ts';

/** The image token's text in this family. */
export const IMAGE_TOKEN = '<image>';

/** Ids at which generation ends: the generation configuration's, else the model's own. */
export function eosTokenIds({ generation, config }: ModelFolder): readonly number[] {
  const ids =
    generation.eos_token_id ?? config.eos_token_id ?? config.text_config.eos_token_id ?? [];
  return typeof ids === 'number' ? [ids] : ids;
}

/** Throws `ModelFolderError` when tokenizer and configuration do not agree on the image token. */
export function imageTokenId({ path, config, tokenizer }: ModelFolder): number {
  const token = tokenizer.added_tokens.find((added) => added.content === IMAGE_TOKEN);
  if (token?.special === true && token.id === config.image_token_id) return token.id;
  throw new ModelFolderError('invalid_config', {
    file: join(path, 'tokenizer.json'),
    expected: `special token ${IMAGE_TOKEN} to have id ${config.image_token_id}, as in config.json`,
    found: JSON.stringify(token) ?? 'no such token',
  });
}

/** A named token's text: files hold it as a string or as an object. */
export function tokenText(token: string | { content: string } | null | undefined): string | null {
  if (token === null || token === undefined) return null;
  return typeof token === 'string' ? token : token.content;
}
