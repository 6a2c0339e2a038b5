import { ConstraintError } from '../../errors.ts';
import type { ConstraintLimits } from '../../limits.ts';

export type Schema = boolean | SchemaObject;
export type SchemaObject = Readonly<Record<string, unknown>>;

/** Members whose values are data, not schemas: their text may look like a schema's. */
const DATA = new Set(['const', 'enum', 'default', 'example', 'examples']);

/** A schema as a whole: where each part of it stands, and what references mean. */
export class SchemaDocument {
  readonly root: unknown;
  readonly #paths = new WeakMap<object, string>();
  readonly #named = new Map<string, unknown>();
  #keys = 0;

  /** Throws `ConstraintError` past a limit. */
  constructor(root: unknown, limits: ConstraintLimits) {
    this.root = root;
    this.#scan(root, '', 0, limits, false);
  }

  /** JSON pointer to a part of the document. */
  pathOf(part: unknown): string {
    return typeof part === 'object' && part !== null ? (this.#paths.get(part) ?? '') : '';
  }

  /** Gives what was made in place of a part the part's place. */
  place(made: object, path: string): void {
    this.#paths.set(made, path);
  }

  resolve(ref: string, path: string): unknown {
    const target =
      ref.startsWith('#/') || ref === '#' ? this.#at(ref.slice(1)) : this.#named.get(ref);
    if (target !== undefined) return target;
    const known = ref.startsWith('#') ? 'points to nothing' : 'lies outside of the schema';
    throw new ConstraintError('unsupported', `$ref ${JSON.stringify(ref)} ${known}`, {
      path,
      keyword: '$ref',
    });
  }

  #at(pointer: string): unknown {
    let at = this.root;
    for (const step of pointer.split('/').slice(1)) {
      const key = unescapePointer(step);
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Record<string, unknown>)[key];
    }
    return at;
  }

  #scan(part: unknown, path: string, depth: number, limits: ConstraintLimits, data: boolean): void {
    if (typeof part !== 'object' || part === null) return;
    if (depth > limits.depth)
      throw new ConstraintError('too_large', `nests deeper than ${limits.depth} levels`, { path });
    this.#paths.set(part, path);
    if (!data) this.#name(part as SchemaObject);
    for (const [key, value] of Object.entries(part)) {
      if (++this.#keys > limits.keys)
        throw new ConstraintError('too_large', `has more than ${limits.keys} members`);
      this.#scan(value, `${path}/${escapePointer(key)}`, depth + 1, limits, data || DATA.has(key));
    }
  }

  #name(part: SchemaObject): void {
    const { $id, $anchor } = part;
    if (typeof $id === 'string') this.#named.set($id, part);
    if (typeof $anchor === 'string') this.#named.set(`#${$anchor}`, part);
  }
}

const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

/** References may be percent-encoded. */
function unescapePointer(step: string): string {
  const decoded = /^(%[\da-f]{2}|[^%])*$/i.test(step) ? decodeURIComponent(step) : step;
  return decoded.replaceAll('~1', '/').replaceAll('~0', '~');
}
