import { ConstraintError } from '../../errors.ts';
import { nextOf } from '../../regex/next.ts';
import type { RegexPool } from '../../regex/pool.ts';
import type { Regex } from '../../regex/regex.ts';
import type { Scalars } from './scalars.ts';
import {
  ANY_ARRAY,
  bothArrays,
  type ArrayShape,
  type KeyClass,
  type ObjectShape,
} from './shapes.ts';

/** The values that a schema permits, by type. An object or array is one of any of its shapes. */
export interface Normal {
  readonly null: boolean;
  readonly true: boolean;
  readonly false: boolean;
  /** Of what stands between the quotes. */
  readonly strings: Regex;
  readonly numbers: Regex;
  readonly objects: readonly ObjectShape[];
  readonly arrays: readonly ArrayShape[];
}

/** More alternatives than this at one place are refused: combinations of combinations multiply. */
const ALTERNATIVES_MAX = 64;

/** Sets of values, and what is common to them. */
export class Normals {
  readonly all: Normal;
  readonly nothing: Normal;
  readonly anyObject: ObjectShape;
  readonly #scalars: Scalars;
  readonly #pool: RegexPool;

  constructor(scalars: Scalars) {
    this.#scalars = scalars;
    this.#pool = scalars.pool;
    const { none } = this.#pool;
    this.anyObject = {
      named: new Map(),
      required: new Set(),
      others: [{ keys: scalars.anyString, atoms: [] }],
      min: 0,
      max: Number.POSITIVE_INFINITY,
    };
    this.nothing = {
      null: false,
      true: false,
      false: false,
      strings: none,
      numbers: none,
      objects: [],
      arrays: [],
    };
    this.all = {
      null: true,
      true: true,
      false: true,
      strings: scalars.anyString,
      numbers: scalars.anyNumber,
      objects: [this.anyObject],
      arrays: [ANY_ARRAY],
    };
  }

  and(...normals: readonly Normal[]): Normal {
    return normals.reduce((a, b) => this.#both(a, b), this.all);
  }

  or(...normals: readonly Normal[]): Normal {
    return normals.reduce((a, b) => this.#either(a, b), this.nothing);
  }

  #both(a: Normal, b: Normal): Normal {
    if (a === this.all) return b;
    if (b === this.all) return a;
    return {
      null: a.null && b.null,
      true: a.true && b.true,
      false: a.false && b.false,
      strings: this.#pool.and(a.strings, b.strings),
      numbers: this.#scalars.andNumber(a.numbers, b.numbers),
      objects: bounded(this.#product(a.objects, b.objects)),
      arrays: bounded(a.arrays.flatMap((one) => b.arrays.map((two) => bothArrays(one, two)))),
    };
  }

  #either(a: Normal, b: Normal): Normal {
    return {
      null: a.null || b.null,
      true: a.true || b.true,
      false: a.false || b.false,
      strings: this.#pool.or(a.strings, b.strings),
      numbers: this.#orNumber(a.numbers, b.numbers),
      objects: bounded(union(a.objects, b.objects, this.anyObject)),
      arrays: bounded(union(a.arrays, b.arrays, ANY_ARRAY)),
    };
  }

  #orNumber(a: Regex, b: Regex): Regex {
    const { anyNumber } = this.#scalars;
    return a === anyNumber || b === anyNumber ? anyNumber : this.#pool.or(a, b);
  }

  #product(a: readonly ObjectShape[], b: readonly ObjectShape[]): ObjectShape[] {
    return a.flatMap((one) =>
      b.flatMap((two) => {
        if (one === this.anyObject) return [two];
        return [two === this.anyObject ? one : this.#bothObjects(one, two)];
      }),
    );
  }

  #bothObjects(a: ObjectShape, b: ObjectShape): ObjectShape {
    const names = new Set([...a.named.keys(), ...b.named.keys()]);
    const named = new Map(
      [...names].map((name) => [name, [...this.atomsOf(a, name), ...this.atomsOf(b, name)]]),
    );
    const others = a.others.flatMap((one) =>
      b.others.map((two): KeyClass => ({
        keys: this.#pool.and(one.keys, two.keys),
        atoms: [...one.atoms, ...two.atoms],
      })),
    );
    return {
      named,
      required: new Set([...a.required, ...b.required]),
      others: bounded(others.filter(({ keys }) => keys !== this.#pool.none)),
      min: Math.max(a.min, b.min),
      max: Math.min(a.max, b.max),
    };
  }

  /** What the value of a key is held to. */
  atomsOf(shape: ObjectShape, name: string): KeyClass['atoms'] {
    const atoms = shape.named.get(name);
    if (atoms) return atoms;
    return shape.others.find(({ keys }) => this.matches(keys, name))?.atoms ?? [];
  }

  matches(keys: Regex, name: string): boolean {
    let at: Regex | null = keys;
    for (const byte of Buffer.from(JSON.stringify(name).slice(1, -1))) {
      at = nextOf(this.#pool, at, byte);
      if (at === null) return false;
    }
    return at.nullable;
  }
}

/** Where anything is permitted, nothing is left to choose. */
function union<T>(a: readonly T[], b: readonly T[], any: T): readonly T[] {
  if (a.includes(any) || b.includes(any)) return [any];
  return [...new Set([...a, ...b])];
}

function bounded<T>(alternatives: readonly T[]): readonly T[] {
  if (alternatives.length <= ALTERNATIVES_MAX) return alternatives;
  const message = `has more than ${ALTERNATIVES_MAX} alternatives at one place`;
  throw new ConstraintError('too_large', message);
}
