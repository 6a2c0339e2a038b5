import { ANY, subtract, type CodePoints } from './code-points.ts';
import { byteSet } from './byte-set.ts';
import type { RegexPool } from './pool.ts';
import type { Regex } from './regex.ts';
import { utf8 } from './utf8.ts';

/** How characters are written: as they are, or as within the quotes of a JSON string. */
export interface TextForm {
  /** Any of the characters. */
  readonly char: (points: CodePoints) => Regex;
  readonly text: (text: string) => Regex;
  /** Any character, any number of times. */
  readonly all: Regex;
  readonly anyChar: Regex;
}

export function plainText(pool: RegexPool): TextForm {
  const anyChar = utf8(pool, ANY);
  return {
    char: (points) => utf8(pool, points),
    text: (text) => pool.text(text),
    all: pool.universe(pool.star(anyChar)),
    anyChar,
  };
}

const ESCAPED: CodePoints = [
  [0x00, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];

/**
 * Each character in the one way in which `JSON.stringify` spells it. With several spellings a key could
 * be told from another only by decoding it.
 */
export function jsonText(pool: RegexPool): TextForm {
  const char = (points: CodePoints): Regex => {
    const ways = escapesIn(points).map((spelled) => pool.text(spelled));
    return pool.or(utf8(pool, subtract(points, ESCAPED)), ...ways);
  };
  const anyChar = char(ANY);
  return {
    char,
    text: (text) => pool.text(JSON.stringify(text).slice(1, -1)),
    all: pool.universe(pool.star(anyChar)),
    anyChar,
  };
}

function escapesIn(points: CodePoints): string[] {
  const found: string[] = [];
  for (const [from, to] of ESCAPED)
    for (let point = from; point <= to; point++)
      if (points.some(([first, last]) => first <= point && point <= last))
        found.push(JSON.stringify(String.fromCodePoint(point)).slice(1, -1));
  return found;
}

/** A character within a JSON string in any of its spellings, halves of surrogate pairs left out. */
export function freeJsonChar(pool: RegexPool): Regex {
  const hex = pool.bytes(byteSet([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]));
  const high = pool.sequence(digit(pool, 'dD'), digit(pool, '89aAbB'), hex, hex);
  const low = pool.sequence(digit(pool, 'dD'), digit(pool, 'c-fC-F'), hex, hex);
  const unit = pool.or(
    pool.sequence(digit(pool, '0-9a-cA-CeEfF'), hex, hex, hex),
    pool.sequence(digit(pool, 'dD'), digit(pool, '0-7'), hex, hex),
    pool.sequence(high, pool.text('\\u'), low),
  );
  const short = digit(pool, '"\\/bfnrt');
  const escape = pool.concat(pool.byte(0x5c), pool.or(short, pool.concat(pool.byte(0x75), unit)));
  return pool.or(utf8(pool, subtract(ANY, ESCAPED)), escape);
}

/** One of the characters; `a-f` is a range. */
function digit(pool: RegexPool, chars: string): Regex {
  const ranges: [number, number][] = [];
  for (let at = 0; at < chars.length; at++) {
    const from = chars.charCodeAt(at);
    const to = chars[at + 1] === '-' ? chars.charCodeAt((at += 2)) : from;
    ranges.push([from, to]);
  }
  return pool.bytes(byteSet(...ranges));
}
