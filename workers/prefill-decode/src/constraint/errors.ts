export type ConstraintServiceErrorCode =
  | 'constraint_refused'
  | 'constraint_timeout'
  | 'constraint_lost';

/** A constraint that the engine cannot enforce, or not now because the mask thread has exited. */
export class ConstraintServiceError extends Error {
  override readonly name = 'ConstraintServiceError';
  readonly code: ConstraintServiceErrorCode;

  constructor(code: ConstraintServiceErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
