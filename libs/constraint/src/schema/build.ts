import { ConstraintError } from '../errors.ts';
import type { ArrayNode, KeyNode, ObjectNode, ValueNode } from '../grammar/grammar.ts';
import { isLive } from '../regex/emptiness.ts';
import type { RegexPool } from '../regex/pool.ts';
import type { Regex } from '../regex/regex.ts';
import { conjunction, conjunctionKey, type Atom } from './values/atom.ts';
import type { Normal } from './values/normal.ts';
import type { Normaliser } from './normalise.ts';
import type { ArrayShape, ObjectShape } from './values/shapes.ts';

export interface BuildOptions {
  /** Blanks that may stand before a lexeme. */
  readonly blank: Regex;
  /** Members come in the order of the schema. */
  readonly ordered: boolean;
}

/** A value whose members are known, before it is known which of them anything satisfies. */
interface Draft {
  readonly node: ValueNode;
  readonly objects: readonly ObjectDraft[];
  readonly arrays: readonly ArrayDraft[];
  inhabited: boolean;
}

interface ObjectDraft {
  readonly shape: ObjectShape;
  readonly named: readonly { readonly name: string; readonly value: Draft }[];
  readonly others: readonly { readonly keys: Regex; readonly value: Draft }[];
}

interface ArrayDraft {
  readonly shape: ArrayShape;
  readonly prefix: readonly Draft[];
  readonly rest: Draft;
}

/** Builds the grammar of all values that satisfy a schema; what nothing can satisfy is left out of it. */
export class GrammarBuilder {
  readonly #normaliser: Normaliser;
  readonly #pool: RegexPool;
  readonly #options: BuildOptions;
  readonly #drafts = new Map<string, Draft>();
  readonly #unfilled: (() => void)[] = [];
  #ids = 0;

  constructor(normaliser: Normaliser, pool: RegexPool, options: BuildOptions) {
    this.#normaliser = normaliser;
    this.#pool = pool;
    this.#options = options;
  }

  build(root: Atom): ValueNode {
    const draft = this.#draft([root]);
    for (let fill = this.#unfilled.pop(); fill; fill = this.#unfilled.pop()) fill();
    this.#findInhabited();
    if (!draft.inhabited)
      throw new ConstraintError('unsatisfiable', 'nothing satisfies the schema');
    for (const each of this.#drafts.values()) this.#finish(each);
    return draft.node;
  }

  #draft(atoms: readonly Atom[]): Draft {
    const sorted = conjunction(atoms);
    const key = conjunctionKey(sorted);
    const known = this.#drafts.get(key);
    if (known) return known;
    this.#spend();
    const normal = this.#normaliser.conjunctionOf(sorted);
    const scalar = this.#scalar(normal);
    const objects: ObjectDraft[] = [];
    const arrays: ArrayDraft[] = [];
    const node: ValueNode = { id: this.#ids++, scalar, objects: [], arrays: [] };
    const draft = { node, objects, arrays, inhabited: scalar !== null };
    this.#drafts.set(key, draft);
    this.#unfilled.push(() => {
      for (const shape of normal.objects) objects.push(this.#objectDraft(shape));
      for (const shape of normal.arrays) arrays.push(this.#arrayDraft(shape));
    });
    return draft;
  }

  /** Nodes are made of expressions, but combinations of schemas may make many of few. */
  #spend(): void {
    this.#pool.budget -= 10;
  }

  #scalar(normal: Normal): Regex | null {
    const pool = this.#pool;
    const { scalars } = this.#normaliser;
    const literals = (['null', 'true', 'false'] as const).filter((name) => normal[name]);
    const scalar = pool.or(
      ...literals.map((name) => pool.text(name)),
      scalars.quoted(normal.strings),
      normal.numbers,
    );
    return isLive(pool, scalar) ? scalar : null;
  }

  #objectDraft(shape: ObjectShape): ObjectDraft {
    const { normals, scalars } = this.#normaliser;
    const names = new Set([...shape.named.keys(), ...shape.required]);
    const pool = this.#pool;
    const taken = pool.or(...[...names].map((name) => scalars.form.text(name)));
    return {
      shape,
      named: [...names].map((name) => ({ name, value: this.#draft(normals.atomsOf(shape, name)) })),
      others: shape.others.flatMap(({ keys, atoms }) => {
        const free = names.size === 0 ? keys : pool.and(keys, scalars.notString(taken));
        return isLive(pool, free) ? [{ keys: free, value: this.#draft(atoms) }] : [];
      }),
    };
  }

  #arrayDraft(shape: ArrayShape): ArrayDraft {
    return {
      shape,
      prefix: shape.prefix.map((atoms) => this.#draft(atoms)),
      rest: this.#draft(shape.rest),
    };
  }

  /** Some values of recursive schemas would never end: those that end are found from the inside out. */
  #findInhabited(): void {
    for (let changed = true; changed;) {
      changed = false;
      for (const draft of this.#drafts.values()) {
        if (draft.inhabited) continue;
        draft.inhabited = draft.objects.some(canExist) || draft.arrays.some(canFill);
        changed ||= draft.inhabited;
      }
    }
  }

  #finish({ node, objects, arrays }: Draft): void {
    node.objects = objects.filter(canExist).map((object) => this.#object(object));
    node.arrays = arrays.filter(canFill).map((array) => this.#array(array));
  }

  #object({ shape, named, others }: ObjectDraft): ObjectNode {
    const keys = [
      ...named.filter(({ value }) => value.inhabited).map((key) => this.#namedKey(key, shape)),
      ...others.filter(({ value }) => value.inhabited).map((key) => this.#otherKey(key)),
    ];
    const { min, max, required } = shape;
    const ordered = this.#options.ordered && min <= Math.max(required.size, 1);
    return { id: this.#ids++, keys, min, max, ordered };
  }

  #namedKey({ name, value }: ObjectDraft['named'][number], { required }: ObjectShape): KeyNode {
    const { form } = this.#normaliser.scalars;
    const lexeme = this.#keyLexeme(form.text(name));
    return { lexeme, named: true, required: required.has(name), value: value.node };
  }

  #otherKey({ keys, value }: ObjectDraft['others'][number]): KeyNode {
    return { lexeme: this.#keyLexeme(keys), named: false, required: false, value: value.node };
  }

  #keyLexeme(keys: Regex): Regex {
    const quote = this.#pool.byte(0x22);
    const colon = this.#pool.byte(0x3a);
    return this.#pool.sequence(quote, keys, quote, this.#options.blank, colon);
  }

  #array({ shape, prefix, rest }: ArrayDraft): ArrayNode {
    const { min, max, unique } = shape;
    const end = prefix.findIndex(({ inhabited }) => !inhabited);
    const items = end === -1 ? prefix : prefix.slice(0, end);
    const open = end === -1 && rest.inhabited;
    const most = open ? max : Math.min(max, items.length);
    if (unique !== null && most > 1) {
      const problem = 'is not supported for arrays of more than one item';
      throw new ConstraintError('unsupported', problem, { path: unique, keyword: 'uniqueItems' });
    }
    return {
      id: this.#ids++,
      prefix: items.map(({ node }) => node),
      rest: open ? rest.node : null,
      min,
      max: most,
    };
  }
}

function canExist({ shape, named, others }: ObjectDraft): boolean {
  const { min, max, required } = shape;
  if (required.size > max || min > max) return false;
  if (named.some(({ name, value }) => required.has(name) && !value.inhabited)) return false;
  const possible = named.filter(({ value }) => value.inhabited).length;
  if (min <= possible) return true;
  const open = others.some(({ value }) => value.inhabited);
  if (!open) return false;
  if (min <= 1) return true;
  // The same key might come twice, and count once.
  const problem = `${min} members cannot be counted where any key may come`;
  throw new ConstraintError('unsupported', problem, { keyword: 'minProperties' });
}

function canFill({ shape, prefix, rest }: ArrayDraft): boolean {
  const { min, max } = shape;
  if (min > max) return false;
  const needed = prefix.slice(0, min);
  return needed.every(({ inhabited }) => inhabited) && (min <= prefix.length || rest.inhabited);
}
