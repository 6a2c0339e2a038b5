import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

/** The identity of a payload; a tag is valid only for this identity. */
export type TagContext = readonly string[];

const SALT_BYTES = 16;
const KEY_BYTES = 16;
/** Constant, because each key is used once. */
const NONCE = Buffer.alloc(12);

/** A new salt, stored in the file with the tag. */
export const newSalt = (): string => randomBytes(SALT_BYTES).toString('hex');

/**
 * GMAC of a payload under a key that only the fleet's processes have: someone who can write to the
 * store but does not know the key can neither forge a tag nor reuse another item's. GMAC is unsafe
 * with a repeated nonce, so each file has its own key, derived from the fleet's key, the salt and
 * the identity of the payload.
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
