import { clip } from '../regex/clip.ts';
import { Recent } from '../recent.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import type { Exits } from './exits.ts';
import type { KeptMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';
import type { Vocabulary } from './vocabulary.ts';
import { walkTrie } from './walk-trie.ts';

/** Masks kept at once of each kind: with 50,000 tokens six kilobytes each. */
const KEPT_MAX = 4_096;

/** What a part of a vocabulary may say from one state of a lexeme on. */
export interface LexemeMask {
  /** Tokens that the lexeme takes whole. */
  readonly inside: KeptMask;
  /** What is left of tokens within which the lexeme may end. */
  readonly exits: Exits;
}

/**
 * Masks of lexeme states. They depend on the state and the vocabulary alone, and not on what stands
 * around the lexeme: one walk over the vocabulary serves every place where the state is met again.
 */
export class LexemeMasks {
  readonly vocabulary: Vocabulary;
  readonly #pool: RegexPool;
  readonly #known: readonly Recent<Regex, LexemeMask>[];
  /** Masks that count what stands around a lexeme, too. */
  readonly ofPositions = new Recent<object, KeptMask>(KEPT_MAX);

  constructor(pool: RegexPool, vocabulary: Vocabulary) {
    this.#pool = pool;
    this.vocabulary = vocabulary;
    this.#known = vocabulary.tries.map(() => new Recent<Regex, LexemeMask>(KEPT_MAX));
  }

  of(lexeme: Regex): LexemeMask[] {
    return this.vocabulary.tries.map((trie, part) => this.#ofPart(lexeme, trie, part));
  }

  #ofPart(lexeme: Regex, trie: TokenTrie, part: number): LexemeMask {
    const known = this.#known[part] as Recent<Regex, LexemeMask>;
    const found = known.get(lexeme);
    if (found) return found;
    const clipped = clip(this.#pool, lexeme, trie.depthMax);
    const base = (state: Regex): LexemeMask => this.#ofPart(state, trie, part);
    const mask =
      (clipped === lexeme ? undefined : known.get(clipped)) ??
      walkTrie(this.#pool, this.vocabulary, trie, clipped, base);
    known.set(clipped, mask);
    known.set(lexeme, mask);
    return mask;
  }
}
