import type { ByteSet } from './byte-set.ts';
import type { DecimalState } from './decimal.ts';

/** What a regular expression over bytes is made of. `and` and `not` make it closed under all of sets. */
export type RegexShape =
  | { readonly kind: 'none' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'bytes'; readonly set: ByteSet }
  | { readonly kind: 'concat'; readonly left: Regex; readonly right: Regex }
  | { readonly kind: 'or'; readonly parts: readonly Regex[] }
  | { readonly kind: 'and'; readonly parts: readonly Regex[] }
  | { readonly kind: 'not'; readonly part: Regex }
  | {
      readonly kind: 'repeat';
      readonly part: Regex;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: 'decimal'; readonly state: DecimalState };

/**
 * A regular expression that is also a state of the automaton that recognises it: its derivative by a
 * byte is the expression of what may follow. Equal expressions of a pool are the same object.
 */
export interface Regex {
  readonly id: number;
  readonly shape: RegexShape;
  /** It matches the empty text. */
  readonly nullable: boolean;
  /** Free of `and`, `not` and `decimal`: unless it is `none`, something matches it. */
  readonly plain: boolean;
  /** Bytes that lead to the same derivative have the same class. Made when first asked for. */
  classes: ByteClasses | null;
  /** The derivative of each class; null: nothing may follow. */
  next: (Regex | null | undefined)[];
  /** Some text matches it; null: not known yet. */
  live: boolean | null;
}

export interface ByteClasses {
  readonly of: Uint8Array;
  /** A byte of each class. */
  readonly samples: readonly number[];
}
