import { nextOf } from '../regex/next.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import { Exits } from './exits.ts';
import type { LexemeMask } from './lexeme-masks.ts';
import { addTo, allow, forbid, keep, maskWords, type TokenMask } from './token-mask.ts';
import type { TokenTrie } from './token-trie.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A byte that few keys and patterns ask for: what it leads to is what other text leads to. */
const UNLIKELY = 0x7e;

/**
 * Finds what a vocabulary may say from a state on. Most states of strings are like the state that any
 * other text leads to, but for a few beginnings: then that state's mask is taken, and only the
 * branches of the trie are walked in which the two differ.
 */
export function walkTrie(
  pool: RegexPool,
  { tokens }: Vocabulary,
  trie: TokenTrie,
  lexeme: Regex,
  maskOf: (state: Regex) => LexemeMask,
): LexemeMask {
  const mask = new Uint32Array(maskWords(tokens.length));
  const like = loopOf(pool, lexeme);
  if (like === null) {
    const found = walk(pool, trie, lexeme, mask);
    return { inside: keep(mask), exits: found };
  }
  const base = maskOf(like);
  addTo(mask, base.inside);
  const exits = walkDifference(pool, trie, lexeme, like, mask, base.exits);
  return { inside: keep(mask), exits };
}

/** The state that unlikely text leads to and stays in; null: there is none, or it is this one. */
function loopOf(pool: RegexPool, lexeme: Regex): Regex | null {
  const next = nextOf(pool, lexeme, UNLIKELY);
  if (next === null || next === lexeme) return null;
  return nextOf(pool, next, UNLIKELY) === next ? next : null;
}

function walk(pool: RegexPool, trie: TokenTrie, lexeme: Regex, mask: TokenMask): Exits {
  const { size, byte, end, depth } = trie;
  const states: Regex[] = [lexeme];
  const exits: number[] = [];
  for (let node = 1; node < size;) {
    const at = depth[node] as number;
    const next = nextOf(pool, states[at - 1] as Regex, byte[node] as number);
    if (next === null) {
      node = end[node] as number;
      continue;
    }
    states[at] = next;
    forTokens(trie, node, node + 1, (id) => allow(mask, id));
    if (next.nullable && (end[node] as number) > node + 1) exits.push(node);
    node++;
  }
  return new Exits(trie, exits);
}

/** `mask` holds what `like` allows. Where both are in the same state, so do they in all that follows. */
function walkDifference(
  pool: RegexPool,
  trie: TokenTrie,
  lexeme: Regex,
  like: Regex,
  mask: TokenMask,
  likeExits: Exits,
): Exits {
  const { size, byte, end, depth } = trie;
  const states: Regex[] = [lexeme];
  const others: (Regex | null)[] = [like];
  const exits: number[] = [];
  const walked: (readonly [from: number, to: number])[] = [];
  for (let node = 1; node < size;) {
    const at = depth[node] as number;
    const value = byte[node] as number;
    const next = nextOf(pool, states[at - 1] as Regex, value);
    const before = others[at - 1];
    const other = before ? nextOf(pool, before, value) : null;
    if (next === other) {
      node = end[node] as number;
      continue;
    }
    const rest = next === null ? (end[node] as number) : node + 1;
    walked.push([node, rest]);
    forTokens(trie, node, rest, (id) => (next ? allow(mask, id) : forbid(mask, id)));
    if (next?.nullable === true && (end[node] as number) > node + 1) exits.push(node);
    if (next) {
      states[at] = next;
      others[at] = other;
    }
    node = rest;
  }
  return likeExits.without(walked).with(exits);
}

function forTokens(
  { tokensAt, ids }: TokenTrie,
  from: number,
  to: number,
  callback: (id: number) => void,
): void {
  const last = tokensAt[to] as number;
  for (let at = tokensAt[from] as number; at < last; at++) callback(ids[at] as number);
}
