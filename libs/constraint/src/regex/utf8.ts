import type { CodePoints } from './code-points.ts';
import { byteSet } from './byte-set.ts';
import type { RegexPool } from './pool.ts';
import type { Regex } from './regex.ts';

/** Last code points that UTF-8 spells in 1, 2, 3 and 4 bytes. */
const LENGTHS = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/** The UTF-8 spellings of code points; surrogates have none and must not be among them. */
export function utf8(pool: RegexPool, points: CodePoints): Regex {
  const ways = points.flatMap(([from, to]) => spellings(pool, from, to));
  return pool.or(...ways);
}

/** Cut where the number of bytes changes, so that first and last have equally many. */
function spellings(pool: RegexPool, from: number, to: number): Regex[] {
  const ways: Regex[] = [];
  let start = from;
  for (const last of LENGTHS) {
    if (start > to) break;
    if (start > last) continue;
    const end = Math.min(to, last);
    ways.push(between(pool, encode(start), encode(end)));
    start = end + 1;
  }
  return ways;
}

const encode = (point: number): number[] => [...Buffer.from(String.fromCodePoint(point))];

/** Byte strings of one length from `low` to `high`, where all but the first are continuation bytes. */
function between(pool: RegexPool, low: readonly number[], high: readonly number[]): Regex {
  const [first = 0, ...lowRest] = low;
  const [last = 0, ...highRest] = high;
  if (lowRest.length === 0) return pool.bytes(byteSet([first, last]));
  if (first === last) return pool.concat(pool.byte(first), between(pool, lowRest, highRest));
  const lowest = lowRest.map(() => 0x80);
  const highest = lowRest.map(() => 0xbf);
  const ways: Regex[] = [];
  let from = first;
  let to = last;
  if (lowRest.some((byte) => byte !== 0x80)) {
    ways.push(pool.concat(pool.byte(from++), between(pool, lowRest, highest)));
  }
  if (highRest.some((byte) => byte !== 0xbf)) {
    ways.push(pool.concat(pool.byte(to--), between(pool, lowest, highRest)));
  }
  if (from <= to) {
    const middle = pool.bytes(byteSet([from, to]));
    ways.push(pool.concat(middle, between(pool, lowest, highest)));
  }
  return pool.or(...ways);
}
