import { ConstraintError } from '../errors.ts';
import { isLive } from '../regex/emptiness.ts';
import type { RegexPool } from '../regex/pool.ts';
import { Atoms, conjunction, conjunctionKey, type Atom } from './values/atom.ts';
import type { Assertion, KeywordReader, SchemaContext } from './values/context.ts';
import type { SchemaDocument, SchemaObject } from './values/document.ts';
import { arrays } from './keywords/arrays.ts';
import { combinations } from './keywords/combinations.ts';
import { numbers } from './keywords/numbers.ts';
import { objects, unevaluated } from './keywords/objects.ts';
import { strings } from './keywords/strings.ts';
import { types } from './keywords/types.ts';
import { values } from './keywords/values.ts';
import { Normals, type Normal } from './values/normal.ts';
import { Scalars } from './values/scalars.ts';
import type { ArrayShape, ObjectShape } from './values/shapes.ts';

/** Keywords that are not read (annotations, other vocabularies) say nothing of what is valid. */
const READERS: readonly KeywordReader[] = [
  types,
  values,
  strings,
  numbers,
  objects,
  arrays,
  unevaluated,
  combinations,
];

/** How deep members are looked into to see that two alternatives have nothing in common. */
const EMPTY_DEPTH = 3;

/** What schemas permit, all keywords resolved. Members and items stay unresolved: schemas may recur. */
export class Normaliser implements SchemaContext {
  readonly document: SchemaDocument;
  readonly atoms = new Atoms();
  readonly scalars: Scalars;
  readonly normals: Normals;
  readonly #pool: RegexPool;
  readonly #known = new Map<Atom, Normal>();
  readonly #conjunctions = new Map<string, Normal>();
  /** Atoms that are being resolved: one that needs itself says nothing. */
  readonly #open = new Set<Atom>();

  constructor(document: SchemaDocument, pool: RegexPool) {
    this.document = document;
    this.#pool = pool;
    this.scalars = new Scalars(pool);
    this.normals = new Normals(this.scalars);
  }

  readonly normalOf = (atom: Atom): Normal => {
    const known = this.#known.get(atom);
    if (known) return known;
    if (this.#open.has(atom)) {
      const path = this.document.pathOf(atom.schema);
      throw new ConstraintError('invalid', 'refers to itself', { path, keyword: '$ref' });
    }
    this.#open.add(atom);
    const normal = this.#resolve(atom);
    this.#open.delete(atom);
    this.#known.set(atom, normal);
    return normal;
  };

  conjunctionOf(atoms: readonly Atom[]): Normal {
    const sorted = conjunction(atoms);
    const key = conjunctionKey(sorted);
    const known = this.#conjunctions.get(key);
    if (known) return known;
    const normal = this.normals.and(...sorted.map(this.normalOf));
    this.#conjunctions.set(key, normal);
    return normal;
  }

  readonly isEmpty = (atoms: readonly Atom[]): boolean => this.#isEmpty(atoms, EMPTY_DEPTH);

  #resolve({ schema, negated }: Atom): Normal {
    const { normals } = this;
    if (typeof schema === 'boolean') return schema === negated ? normals.nothing : normals.all;
    const assertions = READERS.flatMap((read) => read(schema, this));
    if (!negated) return normals.and(...assertions.map((assertion) => assertion.holds()));
    return normals.or(...assertions.map((assertion) => this.#failing(assertion, schema)));
  }

  #failing({ keyword, fails }: Assertion, schema: SchemaObject): Normal {
    if (fails) return fails();
    const path = this.document.pathOf(schema);
    throw new ConstraintError('unsupported', 'is not supported under a negation', {
      path,
      keyword,
    });
  }

  #isEmpty(atoms: readonly Atom[], depth: number): boolean {
    const normal = this.conjunctionOf(atoms);
    if (normal.null || normal.true || normal.false) return false;
    if (isLive(this.#pool, normal.strings) || isLive(this.#pool, normal.numbers)) return false;
    if (depth === 0) return normal.objects.length + normal.arrays.length === 0;
    return (
      normal.objects.every((object) => this.#isEmptyObject(object, depth - 1)) &&
      normal.arrays.every((array) => this.#isEmptyArray(array, depth - 1))
    );
  }

  #isEmptyObject(object: ObjectShape, depth: number): boolean {
    if (object.required.size > object.max || object.min > object.max) return true;
    return [...object.required].some((name) =>
      this.#isEmpty(this.normals.atomsOf(object, name), depth),
    );
  }

  #isEmptyArray(array: ArrayShape, depth: number): boolean {
    if (array.min > array.max) return true;
    if (array.min === 0) return false;
    const items = array.prefix.slice(0, array.min);
    if (array.min > array.prefix.length) items.push(array.rest);
    return items.some((item) => this.#isEmpty(item, depth));
  }
}
