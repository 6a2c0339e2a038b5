import { TooComplexError } from '../errors.ts';
import { byteSet, byteSetKey, isEmpty, unite, type ByteSet } from './byte-set.ts';
import { decimalAccepts, decimalKey, type DecimalState } from './decimal.ts';
import type { Regex, RegexShape } from './regex.ts';

/**
 * Makes expressions and keeps one object of each. The constructors simplify, so that the automaton of
 * derivatives stays small. Every new expression costs one of `budget`: what is too large ends in
 * `TooComplexError` after a bounded time.
 */
export class RegexPool {
  readonly none: Regex;
  readonly empty: Regex;
  /** Expressions that contain all that is ever united or intersected with them. */
  readonly #universes = new Set<Regex>();
  readonly #known = new Map<string, Regex>();
  budget = Number.POSITIVE_INFINITY;

  constructor() {
    this.none = this.#intern('none', { kind: 'none' }, false, true);
    this.empty = this.#intern('empty', { kind: 'empty' }, true, true);
  }

  get size(): number {
    return this.#known.size;
  }

  /** Says that `regex` holds every expression that will meet it in an `or` or an `and`. */
  universe(regex: Regex): Regex {
    this.#universes.add(regex);
    return regex;
  }

  bytes(set: ByteSet): Regex {
    if (isEmpty(set)) return this.none;
    return this.#intern(`b${byteSetKey(set)}`, { kind: 'bytes', set }, false, true);
  }

  byte(value: number): Regex {
    return this.bytes(byteSet([value, value]));
  }

  text(text: string): Regex {
    const bytes = [...Buffer.from(text)];
    return bytes.reduceRight((rest, byte) => this.concat(this.byte(byte), rest), this.empty);
  }

  concat(left: Regex, right: Regex): Regex {
    if (left === this.none || right === this.none) return this.none;
    if (left === this.empty) return right;
    if (right === this.empty) return left;
    const { shape } = left;
    if (shape.kind === 'concat') return this.concat(shape.left, this.concat(shape.right, right));
    return this.#intern(
      `c${left.id},${right.id}`,
      { kind: 'concat', left, right },
      left.nullable && right.nullable,
      left.plain && right.plain,
    );
  }

  sequence(...parts: readonly Regex[]): Regex {
    return parts.reduceRight((rest, part) => this.concat(part, rest), this.empty);
  }

  or(...parts: readonly Regex[]): Regex {
    const found = new Set<Regex>();
    let set: ByteSet | null = null;
    for (const part of flat(parts, 'or')) {
      if (this.#universes.has(part) || this.#isAll(part)) return part;
      if (part.shape.kind === 'bytes') set = set ? unite(set, part.shape.set) : part.shape.set;
      else if (part !== this.none) found.add(part);
    }
    if (set) found.add(this.bytes(set));
    return this.#combine('or', found, this.none);
  }

  and(...parts: readonly Regex[]): Regex {
    const found = new Set<Regex>();
    let universe: Regex | null = null;
    for (const part of flat(parts, 'and')) {
      if (part === this.none) return part;
      if (this.#universes.has(part)) universe = part;
      else if (!this.#isAll(part)) found.add(part);
    }
    for (const { shape } of found)
      if (shape.kind === 'not' && (found.has(shape.part) || shape.part === universe))
        return this.none;
    // A complement alone would reach beyond the universe.
    const bounded = [...found].some(({ shape }) => shape.kind !== 'not');
    if (universe && !bounded) found.add(universe);
    return this.#combine('and', found, this.not(this.none));
  }

  not(part: Regex): Regex {
    if (part.shape.kind === 'not') return part.shape.part;
    return this.#intern(`n${part.id}`, { kind: 'not', part }, !part.nullable, false);
  }

  repeat(part: Regex, min: number, max: number): Regex {
    if (max === 0 || part === this.empty) return this.empty;
    if (part === this.none) return min === 0 ? this.empty : this.none;
    if (min === 1 && max === 1) return part;
    const least = part.nullable ? 0 : min;
    const shape = { kind: 'repeat', part, min: least, max } as const;
    return this.#intern(`r${part.id},${least},${max}`, shape, least === 0, part.plain);
  }

  star(part: Regex): Regex {
    return this.repeat(part, 0, Number.POSITIVE_INFINITY);
  }

  optional(part: Regex): Regex {
    return this.or(this.empty, part);
  }

  decimal(state: DecimalState): Regex {
    const shape = { kind: 'decimal', state } as const;
    return this.#intern(`d${decimalKey(state)}`, shape, decimalAccepts(state), false);
  }

  #combine(kind: 'or' | 'and', found: ReadonlySet<Regex>, neutral: Regex): Regex {
    const parts = [...found].toSorted((a, b) => a.id - b.id);
    const [first] = parts;
    if (first === undefined) return neutral;
    if (parts.length === 1) return first;
    const nullable =
      kind === 'or' ? parts.some((part) => part.nullable) : parts.every((part) => part.nullable);
    const plain = kind === 'or' && parts.every((part) => part.plain);
    const key = `${kind}${parts.map(({ id }) => id).join()}`;
    return this.#intern(key, { kind, parts }, nullable, plain);
  }

  #isAll({ shape }: Regex): boolean {
    return shape.kind === 'not' && shape.part === this.none;
  }

  #intern(key: string, shape: RegexShape, nullable: boolean, plain: boolean): Regex {
    const known = this.#known.get(key);
    if (known) return known;
    if (this.budget-- <= 0) throw new TooComplexError();
    const id = this.#known.size;
    const live = nullable ? true : plain ? shape.kind !== 'none' : null;
    const regex: Regex = { id, shape, nullable, plain, classes: null, next: [], live };
    this.#known.set(key, regex);
    return regex;
  }
}

function* flat(parts: readonly Regex[], kind: 'or' | 'and'): Generator<Regex> {
  for (const part of parts) {
    if (part.shape.kind === kind) yield* part.shape.parts;
    else yield part;
  }
}
