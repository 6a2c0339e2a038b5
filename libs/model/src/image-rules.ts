import type { ImageRules } from './families/family.ts';
import type { ModelFolder } from './model-folder.ts';
import type { Tokenizer } from './tokenizer.ts';

/** What becomes of images in the folder's prompts. The tokenizer tells how many tokens markers take. */
export function imageRules(folder: ModelFolder, tokenizer: Tokenizer): ImageRules {
  return folder.model.images((markup) => countTokens(tokenizer, markup));
}

function countTokens(tokenizer: Tokenizer, text: string): number {
  const lengths = tokenizer
    .sections(text)
    .map((section) => ('token' in section ? 1 : tokenizer.encode(section.text).length));
  return lengths.reduce((sum, length) => sum + length, 0);
}
