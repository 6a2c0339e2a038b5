export type ConstraintServiceErrorCode =
  | 'constraint_refused'
  | 'constraint_timeout'
  | 'constraint_lost';

/** A constraint that answers cannot be held to, or not now: the thread that would has ended. */
export class ConstraintServiceError extends Error {
  override readonly name = 'ConstraintServiceError';
  readonly code: ConstraintServiceErrorCode;

  constructor(code: ConstraintServiceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
