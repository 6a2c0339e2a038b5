import type { Regex } from '../regex/regex.ts';

/** What an answer is made of: values whose scalars are single lexemes. All strings of bytes are JSON text. */
export interface ValueNode {
  readonly id: number;
  /** Strings, numbers, booleans and null that may stand here, as one expression; null: none may. */
  scalar: Regex | null;
  objects: ObjectNode[];
  arrays: ArrayNode[];
}

export interface ObjectNode {
  readonly id: number;
  readonly keys: readonly KeyNode[];
  readonly min: number;
  readonly max: number;
  /** Named keys come in the order of `keys`; otherwise in any. */
  readonly ordered: boolean;
}

export interface KeyNode {
  /** The key in its quotes, with the colon. */
  readonly lexeme: Regex;
  /** False: any key that the lexeme matches, any number of times. */
  readonly named: boolean;
  readonly required: boolean;
  readonly value: ValueNode;
}

export interface ArrayNode {
  readonly id: number;
  readonly prefix: readonly ValueNode[];
  /** Items behind the prefix; null: there are none. */
  readonly rest: ValueNode | null;
  readonly min: number;
  readonly max: number;
}
