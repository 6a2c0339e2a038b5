import { ObjectTooLargeError, sha256Hex, type InputRef, type ObjectStore } from '@epd/connector';
import { EncoderError } from '../errors.ts';

/**
 * An image's bytes as they were accepted: their digest is checked. Throws `EncoderError`, and
 * `StoreUnavailableError` when the store does not answer.
 */
export async function fetchInput(
  store: Pick<ObjectStore, 'get'>,
  input: InputRef,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  const bytes = await get(store, input, limits);
  if (bytes === null) {
    throw new EncoderError('input_missing', 'The image is no longer stored', { retryable: true });
  }
  if (sha256Hex(bytes) !== input.sha256) {
    const message = 'The stored image is not what was accepted';
    throw new EncoderError('input_damaged', message, { retryable: true });
  }
  return bytes;
}

async function get(
  store: Pick<ObjectStore, 'get'>,
  input: InputRef,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array | null> {
  try {
    return await store.get(input.key, limits);
  } catch (cause) {
    if (!(cause instanceof ObjectTooLargeError)) throw cause;
    const message = `The image has ${cause.bytes} bytes; encoders take ${cause.maxBytes}`;
    throw new EncoderError('image_too_large', message, { cause });
  }
}
