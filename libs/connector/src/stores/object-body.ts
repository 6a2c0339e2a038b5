import { copyBytes } from '../shared-bytes.ts';

/**
 * An object's bytes, or their parts in order: a large payload need not be copied behind its header.
 */
export type ObjectBody = Uint8Array | readonly Uint8Array[];

export const partsOf = (body: ObjectBody): readonly Uint8Array[] =>
  body instanceof Uint8Array ? [body] : body;

export const bytesOf = (body: ObjectBody): number =>
  partsOf(body).reduce((sum, part) => sum + part.byteLength, 0);

/** In one piece; copied only if it has several. */
export function joined(body: ObjectBody): Uint8Array {
  const parts = partsOf(body);
  const [only] = parts;
  return only && parts.length === 1 ? only : copyInto(newMemory(bytesOf(body)), body);
}

/** Not zeroed, because it is filled at once. */
const newMemory = (bytes: number): Uint8Array =>
  new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer);

/** Fills the memory with the parts, one after the other, and returns it. */
export function copyInto<T extends Uint8Array>(memory: T, body: ObjectBody): T {
  let offset = 0;
  for (const part of partsOf(body)) {
    copyBytes(part, memory, offset);
    offset += part.byteLength;
  }
  return memory;
}
