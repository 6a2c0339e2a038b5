import { byteSet, type ByteSet } from './byte-set.ts';
import { decimalNext } from './decimal.ts';
import type { RegexPool } from './pool.ts';
import type { ByteClasses, Regex } from './regex.ts';

/** Many expressions tell bytes apart in the same way. */
const sharedClasses = new Map<string, ByteClasses>();
const SHARED_MAX = 10_000;

const DIGIT_SETS = Array.from('-.0123456789', (char) => {
  const code = char.charCodeAt(0);
  return byteSet([code, code]);
});

/** The derivative by each class of bytes, dead ones left out. */
export function successors(pool: RegexPool, regex: Regex): Regex[] {
  regex.classes ??= byteClasses(regex);
  return regex.classes.samples
    .map((byte) => derive(pool, regex, byte))
    .filter((next) => next !== pool.none);
}

/** The expression of what may follow `byte`; it may be one that nothing matches. */
export function derive(pool: RegexPool, regex: Regex, byte: number): Regex {
  const { shape } = regex;
  switch (shape.kind) {
    case 'none':
    case 'empty':
      return pool.none;
    case 'bytes':
      return shape.set[byte] === 1 ? pool.empty : pool.none;
    case 'concat': {
      const through = pool.concat(derive(pool, shape.left, byte), shape.right);
      return shape.left.nullable ? pool.or(through, derive(pool, shape.right, byte)) : through;
    }
    case 'or':
      return pool.or(...shape.parts.map((part) => derive(pool, part, byte)));
    case 'and':
      return pool.and(...shape.parts.map((part) => derive(pool, part, byte)));
    case 'not':
      return pool.not(derive(pool, shape.part, byte));
    case 'repeat': {
      const rest = pool.repeat(shape.part, Math.max(0, shape.min - 1), shape.max - 1);
      return pool.concat(derive(pool, shape.part, byte), rest);
    }
    case 'decimal':
    default: {
      const next = decimalNext(shape.state, byte);
      return next ? pool.decimal(next) : pool.none;
    }
  }
}

export function byteClasses(regex: Regex): ByteClasses {
  const sets = new Set<ByteSet>();
  collectHeads(regex, sets, new Set());
  const of = new Uint8Array(256);
  let count = 1;
  for (const set of sets) count = refine(of, count, set);
  return shared(of);
}

function shared(of: Uint8Array): ByteClasses {
  const key = Buffer.from(of.buffer).toString('latin1');
  const known = sharedClasses.get(key);
  if (known) return known;
  const samples: number[] = [];
  for (let byte = 255; byte >= 0; byte--) samples[of[byte] as number] = byte;
  const made = { of, samples };
  if (sharedClasses.size < SHARED_MAX) sharedClasses.set(key, made);
  return made;
}

/** The sets that decide what a first byte leads to. */
function collectHeads(regex: Regex, sets: Set<ByteSet>, seen: Set<Regex>): void {
  if (seen.has(regex)) return;
  seen.add(regex);
  const { shape } = regex;
  switch (shape.kind) {
    case 'none':
    case 'empty':
      return;
    case 'bytes':
      sets.add(shape.set);
      return;
    case 'concat':
      collectHeads(shape.left, sets, seen);
      if (shape.left.nullable) collectHeads(shape.right, sets, seen);
      return;
    case 'or':
    case 'and':
      for (const part of shape.parts) collectHeads(part, sets, seen);
      return;
    case 'not':
    case 'repeat':
      collectHeads(shape.part, sets, seen);
      return;
    case 'decimal':
      for (const set of DIGIT_SETS) sets.add(set);
  }
}

/** Splits each class into what lies in `set` and what does not; returns the number of classes. */
function refine(of: Uint8Array, count: number, set: ByteSet): number {
  const renamed = new Int16Array(2 * count).fill(-1);
  let next = 0;
  for (let byte = 0; byte < 256; byte++) {
    const split = 2 * (of[byte] as number) + (set[byte] as number);
    if (renamed[split] === -1) renamed[split] = next++;
    of[byte] = renamed[split] as number;
  }
  return next;
}
