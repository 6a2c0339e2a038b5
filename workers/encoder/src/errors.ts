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
 * Why one image cannot be encoded. Every job that waits for the image receives it. Problems of the
 * worker itself (an outage of Redis or the store, a shutdown) are not in this family.
 */
export class EncoderError extends Error {
  override readonly name = 'EncoderError';
  readonly code: EncoderErrorCode;
  /** Whether an unchanged request may succeed later. */
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
