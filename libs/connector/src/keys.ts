import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** Change this together with the derivation of keys, so that old and new keys never collide. */
const MM_HASH_DOMAIN = 'epd-fleet mm_hash 1';

const SHA256_HEX = /^[0-9a-f]{64}$/;

export interface MmHashInput {
  /** Scope within which equal content is shared; the empty string is the global scope. */
  readonly tenant: string;
  readonly modality: string;
  /** Digest of the vision encoder's weights and of the configuration that shapes its output. */
  readonly fingerprint: string;
  /**
   * Options of the processor. The order of properties does not matter; `undefined` ones are
   * ignored.
   */
  readonly processing: Readonly<Record<string, unknown>>;
  /** Digest of the encoded media bytes, in lower-case hex. */
  readonly contentSha256: string;
}

/**
 * The key of an embedding: 64 hex characters. Every field is preceded by its length, so no two
 * different inputs hash the same bytes.
 */
export function mmHash(input: MmHashInput): string {
  assertSha256(input.contentSha256);
  return hashFields(MM_HASH_DOMAIN, [
    input.tenant,
    input.modality,
    input.fingerprint,
    canonicalJson(input.processing),
    input.contentSha256,
  ]);
}

/** Sha256 in hex over a domain and fields, each preceded by its length in bytes (u64, little endian). */
export function hashFields(domain: string, fields: readonly string[]): string {
  const hash = createHash('sha256');
  for (const field of [domain, ...fields]) {
    const bytes = Buffer.from(field, 'utf8');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.byteLength));
    hash.update(length).update(bytes);
  }
  return hash.digest('hex');
}

export const sha256Hex = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Store key of an image's bytes. */
export function inputKey(contentSha256: string): string {
  assertSha256(contentSha256);
  return INPUT_PREFIX + contentSha256;
}

export const INPUT_PREFIX = 'inputs/';

export const isInputKey = (key: string): boolean =>
  key.startsWith(INPUT_PREFIX) && SHA256_HEX.test(key.slice(INPUT_PREFIX.length));

/** Store key of an embedding: vLLM's shared-storage layout below `root`, which may be empty. */
export function embeddingKey(root: string, hash: string): string {
  assertSha256(hash);
  return root === '' ? `${hash}/${EMBEDDING_FILE}` : `${root}/${hash}/${EMBEDDING_FILE}`;
}

/** The `mm_hash` of a store key; null for a key that holds no embedding. */
export function mmHashOfKey(root: string, key: string): string | null {
  const hash = key.split('/').at(-2) ?? '';
  return SHA256_HEX.test(hash) && embeddingKey(root, hash) === key ? hash : null;
}

export const EMBEDDING_FILE = 'encoder_cache.safetensors';

function assertSha256(hex: string): void {
  if (!SHA256_HEX.test(hex))
    throw new TypeError(`Expected a sha256 in hex, got ${JSON.stringify(hex.slice(0, 80))}`);
}
