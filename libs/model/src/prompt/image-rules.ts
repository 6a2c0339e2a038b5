import type { ImageGeometry } from '../families/geometry.ts';
import type { ImageRules } from '../family/family.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';

/** What becomes of images in the folder's prompts. The tokenizer counts the tokens of markers. */
export function imageRules(folder: ModelFolder, tokenizer: Tokenizer): ImageRules<ImageGeometry> {
  return folder.model.images((markup) => countTokens(tokenizer, markup));
}

function countTokens(tokenizer: Tokenizer, text: string): number {
  const lengths = tokenizer
    .sections(text)
    .map((section) => ('token' in section ? 1 : tokenizer.encode(section.text).length));
  return lengths.reduce((sum, length) => sum + length, 0);
}
