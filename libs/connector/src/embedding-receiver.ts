import { createHash, type Hash } from 'node:crypto';
import { sha256Hex } from './keys.ts';
import { payloadOffset } from './safetensors.ts';
import type { GetOptions } from './stores/object-store.ts';

/**
 * Takes a file in: gives memory for it that threads can share, and digests its payload while it
 * arrives, in time that would be spent waiting for the rest.
 */
export class EmbeddingReceiver implements Required<Pick<GetOptions, 'allocate' | 'onFilled'>> {
  #file: Uint8Array = new Uint8Array(0);
  #hash: Hash | null = null;
  #hashed = 0;

  readonly allocate = (bytes: number): Uint8Array => {
    this.#file = new Uint8Array(new SharedArrayBuffer(bytes));
    this.#hash = null;
    return this.#file;
  };

  readonly onFilled = (filled: number): void => {
    if (!this.#hash && !this.#begin(filled)) return;
    this.#hash?.update(this.#file.subarray(this.#hashed, filled));
    this.#hashed = filled;
  };

  /** Sha256 in hex of a payload: of the one that arrived without another pass over it. */
  readonly digest = (payload: Uint8Array): string => {
    const hash = this.#hash;
    this.#hash = null;
    return hash && this.#hasHashed(payload) ? hash.digest('hex') : sha256Hex(payload);
  };

  /** False while the header is not complete. */
  #begin(filled: number): boolean {
    const offset = payloadOffset(this.#file.subarray(0, filled));
    if (offset === null || offset > filled) return false;
    this.#hash = createHash('sha256');
    this.#hashed = offset;
    return true;
  }

  #hasHashed(payload: Uint8Array): boolean {
    const offset = payloadOffset(this.#file);
    return (
      payload.buffer === this.#file.buffer &&
      payload.byteOffset === offset &&
      payload.byteOffset + payload.byteLength === this.#hashed
    );
  }
}
