import { ConstraintError } from '../errors.ts';
import {
  complement,
  DIGIT,
  LINE_ENDS,
  SPACE,
  subtract,
  unite,
  withoutSurrogates,
  withProperty,
  WORD,
  ANY,
  type CodePoints,
} from '../regex/code-points.ts';

/** What a regular expression of ECMAScript says, as far as an automaton can hold to it. */
export type Pattern =
  | { readonly kind: 'char'; readonly points: CodePoints }
  | { readonly kind: 'sequence'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'look'; readonly part: Pattern; readonly negative: boolean };

/** Deeper nesting is refused: it would be followed by recursion. */
const DEPTH_MAX = 100;
/** A count above it is refused: its automaton has that many states. */
const REPEAT_MAX = 10_000;

/** Throws `ConstraintError` for what is no regular expression, and for what an automaton cannot do. */
export function parsePattern(source: string): Pattern {
  if (!isRegExp(source))
    throw new ConstraintError('invalid', `not a regular expression: ${source}`);
  return new Parser(source).parse();
}

function isRegExp(source: string): boolean {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(source, flags) instanceof RegExp;
    } catch {
      // Older schemas escape more than the stricter form allows.
    }
  }
  return false;
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#chars = Array.from(source);
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#chars.length) throw this.#unsupported(`"${this.#peek()}"`);
    return pattern;
  }

  #choice(): Pattern {
    if (++this.#depth > DEPTH_MAX) throw this.#unsupported(`nesting deeper than ${DEPTH_MAX}`);
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 && parts[0] ? parts[0] : { kind: 'choice', parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.#chars.length && this.#peek() !== '|' && this.#peek() !== ')')
      parts.push(this.#quantified(this.#atom()));
    return { kind: 'sequence', parts };
  }

  #quantified(part: Pattern): Pattern {
    const count = this.#count();
    if (count === null) return part;
    this.#take('?');
    const [min, max] = count;
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== Number.POSITIVE_INFINITY))
      throw this.#unsupported(`a count above ${REPEAT_MAX}`);
    if (part.kind === 'start' || part.kind === 'end' || part.kind === 'look')
      throw this.#unsupported('a repeated assertion');
    return { kind: 'repeat', part, min, max };
  }

  #count(): readonly [number, number] | null {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d+)(,(\d*))?\}/.exec(this.#chars.slice(this.#at, this.#at + 32).join(''));
    if (!braces) return null;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3])];
  }

  #atom(): Pattern {
    const char = this.#next();
    switch (char) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'char', points: subtract(ANY, LINE_ENDS) };
      case '(':
        return this.#group();
      case '[':
        return { kind: 'char', points: withoutSurrogates(this.#class()) };
      case '\\':
        return { kind: 'char', points: withoutSurrogates(this.#escape(false)) };
      default:
        return { kind: 'char', points: onePoint(char) };
    }
  }

  #group(): Pattern {
    const look = this.#opening();
    const part = this.#choice();
    if (!this.#take(')')) throw this.#unsupported('an unclosed group');
    return look === null ? part : { kind: 'look', part, negative: look === 'negative' };
  }

  #opening(): 'positive' | 'negative' | null {
    if (!this.#take('?')) return null;
    if (this.#take(':')) return null;
    if (this.#take('=')) return 'positive';
    if (this.#take('!')) return 'negative';
    if (this.#take('<') && this.#peek() !== '=' && this.#peek() !== '!') {
      while (this.#next() !== '>');
      return null;
    }
    throw this.#unsupported('a look-behind or a group with flags');
  }

  #class(): CodePoints {
    const negated = this.#take('^');
    let points: CodePoints = [];
    while (!this.#take(']')) {
      const from = this.#classAtom();
      if (this.#peek() !== '-' || this.#chars[this.#at + 1] === ']' || from.length !== 1) {
        points = unite(points, from);
        continue;
      }
      this.#at++;
      const to = this.#classAtom();
      // `[\w-.]`: with a set on either side the hyphen is itself.
      points =
        isOne(from) && isOne(to)
          ? unite(points, [[first(from), first(to)]])
          : unite(points, from, to, onePoint('-'));
    }
    return negated ? complement(points) : points;
  }

  #classAtom(): CodePoints {
    const char = this.#next();
    return char === '\\' ? this.#escape(true) : onePoint(char);
  }

  #escape(inClass: boolean): CodePoints {
    const char = this.#next();
    const set = SETS[char];
    if (set) return set;
    const control = CONTROLS[char];
    if (control !== undefined) return [[control, control]];
    if (char === 'b' && inClass) return [[8, 8]];
    if (char === 'x') return this.#hex(2);
    if (char === 'u') return this.#take('{') ? this.#braced() : this.#unit();
    if (char === 'p' || char === 'P') return this.#property(char === 'P');
    if (char === '0' && !/\d/.test(this.#peek())) return [[0, 0]];
    if (/[1-9bBkc]/.test(char)) throw this.#unsupported(`"\\${char}"`);
    return onePoint(char);
  }

  #hex(length: number): CodePoints {
    const digits = this.#chars.slice(this.#at, this.#at + length).join('');
    if (!/^[\da-f]+$/i.test(digits) || digits.length !== length)
      throw this.#unsupported('an unfinished escape');
    this.#at += length;
    const point = Number.parseInt(digits, 16);
    return [[point, point]];
  }

  /** Two escapes may stand for one character. */
  #unit(): CodePoints {
    const high = first(this.#hex(4));
    if (high < 0xd800 || high > 0xdbff || this.#peek() !== '\\') return [[high, high]];
    this.#at += 2;
    const low = first(this.#hex(4));
    const point = 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
    return [[point, point]];
  }

  #braced(): CodePoints {
    let digits = '';
    while (this.#peek() !== '}') digits += this.#next();
    this.#at++;
    const point = Number.parseInt(digits, 16);
    return [[point, point]];
  }

  #property(negated: boolean): CodePoints {
    if (!this.#take('{')) throw this.#unsupported('"\\p" without a name');
    let name = '';
    while (this.#peek() !== '}') name += this.#next();
    this.#at++;
    const points = withProperty(name);
    if (!points) throw this.#unsupported(`the property ${name}`);
    return negated ? complement(points) : points;
  }

  #peek(): string {
    return this.#chars[this.#at] ?? '';
  }

  #next(): string {
    const char = this.#chars[this.#at++];
    if (char === undefined) throw this.#unsupported('an unfinished expression');
    return char;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #unsupported(what: string): ConstraintError {
    return new ConstraintError('unsupported', `${what} is not supported in a regular expression`);
  }
}

const onePoint = (char: string): CodePoints => {
  const point = char.codePointAt(0) ?? 0;
  return [[point, point]];
};
const first = (points: CodePoints): number => points[0]?.[0] ?? 0;
const isOne = (points: CodePoints): boolean =>
  points.length === 1 && points[0]?.[0] === points[0]?.[1];

const SETS: Readonly<Record<string, CodePoints>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
