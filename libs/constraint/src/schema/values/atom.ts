import type { Schema } from './document.ts';

/** A schema that a value is held to, or one that it must not satisfy. Equal atoms are the same object. */
export interface Atom {
  readonly id: number;
  readonly schema: Schema;
  readonly negated: boolean;
}

export class Atoms {
  readonly #known = new Map<unknown, Atom>();
  readonly #negated = new Map<unknown, Atom>();
  #ids = 0;

  of(schema: Schema, negated = false): Atom {
    const atoms = negated ? this.#negated : this.#known;
    const known = atoms.get(schema);
    if (known) return known;
    const atom = { id: this.#ids++, schema, negated };
    atoms.set(schema, atom);
    return atom;
  }
}

/** Sorted and without repetitions: a conjunction has one form. */
export function conjunction(atoms: readonly Atom[]): readonly Atom[] {
  return [...new Set(atoms)].toSorted((a, b) => a.id - b.id);
}

export const conjunctionKey = (atoms: readonly Atom[]): string => atoms.map(({ id }) => id).join();
