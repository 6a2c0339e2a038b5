import type { RegexPool } from './pool.ts';
import type { Regex } from './regex.ts';

/**
 * The expression as texts of at most `length` bytes see it: counts above it make no difference to them.
 * So the states of a string with hundreds of characters to go share one mask.
 */
export function clip(pool: RegexPool, regex: Regex, length: number): Regex {
  const { shape } = regex;
  switch (shape.kind) {
    case 'concat':
      return pool.concat(clip(pool, shape.left, length), clip(pool, shape.right, length));
    case 'or':
      return pool.or(...shape.parts.map((part) => clip(pool, part, length)));
    case 'repeat': {
      if (shape.part.nullable) return regex;
      const min = Math.min(shape.min, length + 1);
      const max = shape.max > length ? Number.POSITIVE_INFINITY : shape.max;
      return pool.repeat(shape.part, min, max);
    }
    case 'none':
    case 'empty':
    case 'bytes':
    case 'and':
    case 'not':
    case 'decimal':
    default:
      return regex;
  }
}
