import type { Regex } from '../regex/regex.ts';

/** What follows when a lexeme has ended: an object to continue, an array, the end of the answer. */
export interface Frame {
  readonly id: number;
  /** Where the answer may stand at once behind the lexeme. */
  resume(): readonly Position[];
}

/** Where an answer may stand: within a lexeme, in a frame. Equal positions of a machine are the same object. */
export interface Position {
  readonly lexeme: Regex;
  readonly frame: Frame;
}
