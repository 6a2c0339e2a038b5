import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectTooLargeError, sha256Hex, type InputRef, type ObjectStore } from '@epd/connector';
import { EncoderError } from '../errors.ts';

/**
 * Looks at an image whose bytes are not those that were accepted. What stands between us and the store may
 * answer in its place for a moment; an object that is damaged stays so.
 */
const LOOKS_MAX = 3;
const PAUSE_MS = 500;

/**
 * An image's bytes as they were accepted: their digest is checked. Throws `EncoderError`, and
 * `StoreUnavailableError` when the store does not answer.
 */
export async function fetchInput(
  store: Pick<ObjectStore, 'get'>,
  input: InputRef,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  for (let look = 1; look <= LOOKS_MAX; look += 1) {
    const bytes = await get(store, input, limits);
    if (bytes === null) {
      throw new EncoderError('input_missing', 'The image is no longer stored', { retryable: true });
    }
    if (sha256Hex(bytes) === input.sha256) return bytes;
    if (look < LOOKS_MAX) await sleep(PAUSE_MS, undefined, { signal: limits.signal });
  }
  const message = 'The stored image is not what was accepted';
  throw new EncoderError('input_damaged', message, { retryable: true });
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
