export type EngineErrorCode =
  | 'prompt_too_long'
  | 'invalid_request'
  | 'image_too_large'
  | 'engine_full'
  | 'engine_closed';

/**
 * A request that the engine refuses, with the numbers that say why. A failure after the request was
 * added is a `failed` event, not an exception.
 */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly facts: Readonly<Record<string, number>>;

  constructor(
    code: EngineErrorCode,
    message: string,
    facts: Readonly<Record<string, number>> = {},
  ) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}
