import type { Regex } from '../../regex/regex.ts';
import type { Atom } from './atom.ts';

/** Objects that a schema permits. Which values a key may have is the conjunction of its atoms. */
export interface ObjectShape {
  readonly named: ReadonlyMap<string, readonly Atom[]>;
  readonly required: ReadonlySet<string>;
  /** All keys that are not named, by what their values are held to. */
  readonly others: readonly KeyClass[];
  readonly min: number;
  readonly max: number;
}

export interface KeyClass {
  /** Of what stands between the quotes. */
  readonly keys: Regex;
  readonly atoms: readonly Atom[];
}

export interface ArrayShape {
  readonly prefix: readonly (readonly Atom[])[];
  readonly rest: readonly Atom[];
  readonly min: number;
  readonly max: number;
  /** The atom that asks for items that differ from each other. */
  readonly unique: string | null;
}

export const ANY_ARRAY: ArrayShape = {
  prefix: [],
  rest: [],
  min: 0,
  max: Number.POSITIVE_INFINITY,
  unique: null,
};

export function bothArrays(a: ArrayShape, b: ArrayShape): ArrayShape {
  const length = Math.max(a.prefix.length, b.prefix.length);
  const prefix = Array.from({ length }, (_, at) => [...itemAtoms(a, at), ...itemAtoms(b, at)]);
  return {
    prefix,
    rest: [...a.rest, ...b.rest],
    min: Math.max(a.min, b.min),
    max: Math.min(a.max, b.max),
    unique: a.unique ?? b.unique,
  };
}

const itemAtoms = (array: ArrayShape, at: number): readonly Atom[] =>
  array.prefix[at] ?? array.rest;
