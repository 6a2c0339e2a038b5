import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectTooLargeError, sha256Hex, type InputRef, type ObjectStore } from '@epd/connector';
import { EncoderError } from '../errors.ts';

/**
 * Attempts to read an image whose bytes differ from the accepted ones. A proxy in front of the
 * store may answer in its place for a moment; a damaged object stays damaged.
 */
const LOOKS_MAX = 3;
const PAUSE_MS = 500;

/**
 * Fetches an image's bytes and checks that their digest is that of the accepted bytes. Throws
 * `EncoderError`, and `StoreUnavailableError` when the store does not respond.
 */
export async function fetchInput(
  store: Pick<ObjectStore, 'get'>,
  input: InputRef,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array> {
  for (let look = 1; look <= LOOKS_MAX; look += 1) {
    const bytes = await get(store, input, limits);
    if (bytes === null) {
      throw new EncoderError('input_missing', 'The image is no longer in the store', {
        retryable: true,
      });
    }
    if (sha256Hex(bytes) === input.sha256) return bytes;
    if (look < LOOKS_MAX) await sleep(PAUSE_MS, undefined, { signal: limits.signal });
  }
  const message = 'The stored image differs from the accepted one';
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
    const message = `The image has ${cause.bytes} bytes; encoders accept at most ${cause.maxBytes}`;
    throw new EncoderError('image_too_large', message, { cause });
  }
}
