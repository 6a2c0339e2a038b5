import { buildTokenTrie, type TokenBytes, type TokenTrie } from './token-trie.ts';

/** Longer tokens are few (runs of blanks and dashes), and would keep counted strings from sharing masks. */
const SHORT_BYTES = 16;

/** A tokenizer's vocabulary, as masks are computed over it. */
export interface Vocabulary {
  readonly tokens: TokenBytes;
  /** Of short and of long tokens. */
  readonly tries: readonly TokenTrie[];
}

export function buildVocabulary(tokens: TokenBytes): Vocabulary {
  const only = (isShort: boolean): TokenBytes =>
    tokens.map((bytes) => (bytes && bytes.length <= SHORT_BYTES === isShort ? bytes : null));
  return { tokens, tries: [buildTokenTrie(only(true)), buildTokenTrie(only(false))] };
}
