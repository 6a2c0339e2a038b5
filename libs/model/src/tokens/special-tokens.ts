import { join } from 'node:path';
import { ModelFolderError } from '../errors.ts';
import type { ModelFolder } from '../folder/model-folder.ts';

/** Ids at which generation ends: the generation configuration's, else the model's own. */
export function eosTokenIds({ generation, config }: ModelFolder): readonly number[] {
  const ids =
    generation.eos_token_id ?? config.eos_token_id ?? config.text_config?.eos_token_id ?? [];
  return typeof ids === 'number' ? [ids] : ids;
}

/** Throws `ModelFolderError` when tokenizer and configuration do not agree on the token of image rows. */
export function rowTokenId({ path, model, tokenizer }: ModelFolder): number {
  const { text, id } = model.rowToken;
  const token = tokenizer.added_tokens.find((added) => added.content === text);
  if (token?.special === true && token.id === id) return id;
  throw new ModelFolderError('invalid_config', {
    file: join(path, 'tokenizer.json'),
    expected: `special token ${text} to have id ${id}, as in config.json`,
    found: JSON.stringify(token) ?? 'no such token',
  });
}

/** A named token's text: files hold it as a string or as an object. */
export function tokenText(token: string | { content: string } | null | undefined): string | null {
  if (token === null || token === undefined) return null;
  return typeof token === 'string' ? token : token.content;
}
