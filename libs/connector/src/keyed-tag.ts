import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

/** What a payload is said to be; a tag holds for it under this name and no other. */
export type TagContext = readonly string[];

const SALT_BYTES = 16;
const KEY_BYTES = 16;
/** Constant, for each key is used once. */
const NONCE = Buffer.alloc(12);

/** A new salt, which goes into the file beside the tag. */
export const newSalt = (): string => randomBytes(SALT_BYTES).toString('hex');

/**
 * GMAC of a payload under a key that only the fleet's processes have: who may write to the store, and does not
 * know it, can make no tag that fits, nor use another item's. GMAC is unsafe with a nonce that repeats, so each
 * file has a key of its own, derived from the fleet's, the salt and what the payload is said to be.
 */
export function keyedTag(
  secret: string,
  salt: string,
  context: TagContext,
  payload: Uint8Array,
): string {
  const derived = createHmac('sha256', secret)
    .update(JSON.stringify([salt, ...context]))
    .digest();
  const cipher = createCipheriv('aes-128-gcm', derived.subarray(0, KEY_BYTES), NONCE);
  cipher.setAAD(payload).final();
  return cipher.getAuthTag().toString('hex');
}
