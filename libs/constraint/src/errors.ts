export type ConstraintErrorCode = 'unsupported' | 'invalid' | 'too_large' | 'unsatisfiable';

/** A constraint that cannot be held to: which keyword says so, and where it stands. */
export class ConstraintError extends Error {
  override readonly name = 'ConstraintError';
  readonly code: ConstraintErrorCode;
  /** JSON pointer into what was given, "" for the whole. */
  readonly path: string;
  readonly keyword: string | null;

  constructor(
    code: ConstraintErrorCode,
    message: string,
    where: { readonly path?: string; readonly keyword?: string } = {},
  ) {
    super(message);
    this.code = code;
    this.path = where.path ?? '';
    this.keyword = where.keyword ?? null;
  }
}

/** The work that a constraint takes has passed its bound. */
export class TooComplexError extends ConstraintError {
  constructor() {
    super('too_large', 'The constraint takes more work than is allowed');
  }
}
