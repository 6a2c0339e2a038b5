import type { ItemError } from '@epd/connector';

export type EncoderErrorCode =
  | 'image_broken'
  | 'image_too_large'
  | 'image_unsupported'
  | 'image_size_mismatch'
  | 'input_missing'
  | 'input_damaged'
  | 'encode_failed'
  | 'encode_poison'
  | 'model_mismatch'
  | 'message_unreadable';

/**
 * Why one image cannot be encoded. It is told to every job that waits for the image; what concerns
 * the worker itself (Redis or the store being away, a shutdown) is not in this family.
 */
export class EncoderError extends Error {
  override readonly name = 'EncoderError';
  readonly code: EncoderErrorCode;
  /** Whether asking again later, with nothing changed by the client, may succeed. */
  readonly retryable: boolean;

  constructor(
    code: EncoderErrorCode,
    message: string,
    options: ErrorOptions & { readonly retryable?: boolean } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  toItemError(): ItemError {
    return { code: this.code, message: this.message, retryable: this.retryable };
  }
}
