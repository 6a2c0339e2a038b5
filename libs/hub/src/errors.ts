export type HubErrorCode =
  | 'invalid_name'
  | 'not_found'
  | 'revision_not_found'
  | 'unauthorized'
  | 'gated'
  | 'rate_limited'
  | 'unreachable'
  | 'not_cached'
  | 'missing_file'
  | 'missing_variant'
  | 'digest_mismatch'
  | 'other_layout'
  | 'locked'
  | 'invalid_answer';

/** What keeps a model from being found or fetched. The message says what would help. `code` is stable. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
