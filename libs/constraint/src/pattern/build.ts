import { ConstraintError } from '../errors.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import type { TextForm } from '../regex/texts.ts';
import { parsePattern, type Pattern } from './parse.ts';

/** Texts in which the pattern is found, as `RegExp.prototype.test` finds it: anywhere, unless anchored. */
export function searching(pool: RegexPool, form: TextForm, source: string): Regex {
  const pattern = parsePattern(source);
  const build = new Builder(pool, form);
  const atStart = build.of(pattern, form.all, true);
  const later = build.of(pattern, form.all, false);
  return pool.or(atStart, pool.concat(form.all, later));
}

/** Texts that the pattern matches as a whole, as vLLM has it. */
export function matching(pool: RegexPool, form: TextForm, source: string): Regex {
  return new Builder(pool, form).of(parsePattern(source), pool.empty, true);
}

/**
 * Each part is built together with all that follows it, so that an assertion can speak of what
 * follows: `(?=x)` is the intersection of "begins with x" and the rest.
 */
class Builder {
  readonly #pool: RegexPool;
  readonly #form: TextForm;

  constructor(pool: RegexPool, form: TextForm) {
    this.#pool = pool;
    this.#form = form;
  }

  of(pattern: Pattern, rest: Regex, atStart: boolean): Regex {
    const pool = this.#pool;
    switch (pattern.kind) {
      case 'char':
        return pool.concat(this.#form.char(pattern.points), rest);
      case 'sequence':
        return this.#sequence(pattern.parts, rest, atStart);
      case 'choice':
        return pool.or(...pattern.parts.map((part) => this.of(part, rest, atStart)));
      case 'repeat':
        return this.#repeat(pattern, rest);
      case 'start':
        return atStart ? rest : pool.none;
      case 'end':
        return rest.nullable ? pool.empty : pool.none;
      case 'look':
      default: {
        const follows = this.of(pattern.part, this.#form.all, atStart);
        return pool.and(pattern.negative ? pool.not(follows) : follows, rest);
      }
    }
  }

  #sequence(parts: readonly Pattern[], rest: Regex, atStart: boolean): Regex {
    // Only what has no width leaves the next part where the first one was.
    const widths = parts.map(isAssertion);
    const firstWide = widths.indexOf(false);
    const reach = firstWide === -1 ? parts.length : firstWide;
    for (const part of parts.slice(reach + 1))
      if (beginsWithStart(part) && parts.slice(0, parts.indexOf(part)).every(mayBeEmpty))
        throw new ConstraintError('unsupported', '"^" behind an optional part is not supported');
    return parts.reduceRight(
      (built, part, index) => this.of(part, built, atStart && index <= reach),
      rest,
    );
  }

  #repeat({ part, min, max }: Extract<Pattern, { kind: 'repeat' }>, rest: Regex): Regex {
    if (hasAssertion(part))
      throw new ConstraintError('unsupported', 'an assertion in a repeated part is not supported');
    const pool = this.#pool;
    return pool.concat(pool.repeat(this.of(part, pool.empty, false), min, max), rest);
  }
}

const isAssertion = (pattern: Pattern): boolean =>
  pattern.kind === 'start' || pattern.kind === 'end' || pattern.kind === 'look';

function hasAssertion(pattern: Pattern): boolean {
  if (isAssertion(pattern)) return true;
  if (pattern.kind === 'repeat') return hasAssertion(pattern.part);
  return 'parts' in pattern && pattern.parts.some(hasAssertion);
}

function beginsWithStart(pattern: Pattern): boolean {
  if (pattern.kind === 'start') return true;
  if (pattern.kind === 'choice') return pattern.parts.some(beginsWithStart);
  if (pattern.kind !== 'sequence') return false;
  const [head] = pattern.parts;
  return head !== undefined && beginsWithStart(head);
}

function mayBeEmpty(pattern: Pattern): boolean {
  switch (pattern.kind) {
    case 'char':
      return false;
    case 'sequence':
      return pattern.parts.every(mayBeEmpty);
    case 'choice':
      return pattern.parts.some(mayBeEmpty);
    case 'repeat':
      return pattern.min === 0 || mayBeEmpty(pattern.part);
    case 'start':
    case 'end':
    case 'look':
    default:
      return true;
  }
}
