/** What a constraint may cost. All are counted, not timed: they hold alike on every machine. */
export interface ConstraintLimits {
  /** Of its JSON text: what is read, hashed, kept in the record and sent to threads. */
  readonly bytes: number;
  /** Levels of nesting: schemas are followed by recursion. */
  readonly depth: number;
  /** Members of all objects of the schema together. */
  readonly keys: number;
  /** Expressions that compiling makes, some microseconds and a kilobyte each. */
  readonly work: number;
}

/** Three times the work that the most expensive schema of a public benchmark's sample needs, or more. */
export const DEFAULT_LIMITS: ConstraintLimits = {
  bytes: 131_072,
  depth: 64,
  keys: 10_000,
  work: 12_000,
};
