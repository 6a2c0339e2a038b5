import { beginDigest, type RunningDigest } from './digest/digester.ts';
import { sha256Hex } from './keys.ts';
import { payloadOffset } from './safetensors.ts';
import type { GetOptions } from './stores/object-store.ts';

/** What is smaller is digested here, in less time than it takes to hand it to another thread. */
const MIN_THREAD_BYTES = 2 ** 19;
/** How much must have arrived before it is handed over: what is left to digest at the end is less. */
const PART_BYTES = 2 ** 18;

/**
 * Takes a file in: gives memory for it that threads can share, and has its payload digested while it
 * arrives.
 */
export class EmbeddingReceiver implements Required<Pick<GetOptions, 'allocate' | 'onFilled'>> {
  #file: Uint8Array = new Uint8Array(0);
  #digest: RunningDigest | null = null;
  #digested = 0;

  readonly allocate = (bytes: number): Uint8Array => {
    this.#file = new Uint8Array(new SharedArrayBuffer(bytes));
    this.#digest = null;
    return this.#file;
  };

  readonly onFilled = (filled: number): void => {
    if (this.#file.byteLength < MIN_THREAD_BYTES) return;
    if (!this.#digest && !this.#begin(filled)) return;
    const isPart = filled - this.#digested >= PART_BYTES || filled === this.#file.byteLength;
    if (!isPart) return;
    this.#digest?.update(this.#file.subarray(this.#digested, filled));
    this.#digested = filled;
  };

  /** Sha256 in hex of all behind the header of a file, received here or not; null without a header. */
  async payloadSha256(file: Uint8Array): Promise<string | null> {
    const offset = payloadOffset(file);
    if (offset === null || offset > file.byteLength) return null;
    const running = this.#hasDigested(file) ? this.#digest : digestOfShared(file.subarray(offset));
    return (await running?.end()) ?? sha256Hex(file.subarray(offset));
  }

  /** False while the header is not complete. */
  #begin(filled: number): boolean {
    const offset = payloadOffset(this.#file.subarray(0, filled));
    if (offset === null || offset > filled) return false;
    this.#digest = beginDigest();
    this.#digested = offset;
    return true;
  }

  #hasDigested(file: Uint8Array): boolean {
    return file.buffer === this.#file.buffer && file.byteLength === this.#digested;
  }
}

/** Of what a cache had in memory that threads can share; null where it is digested sooner here. */
function digestOfShared(payload: Uint8Array): RunningDigest | null {
  if (payload.byteLength < MIN_THREAD_BYTES || !(payload.buffer instanceof SharedArrayBuffer))
    return null;
  const digest = beginDigest();
  digest.update(payload);
  return digest;
}
