/** Zeroed memory that threads can share. */
export const sharedBytes = (bytes: number): Uint8Array<SharedArrayBuffer> =>
  new Uint8Array(new SharedArrayBuffer(bytes));

/** The same bytes in memory that threads can share; copied only if necessary. */
export function toSharedBytes(data: Uint8Array): Uint8Array<SharedArrayBuffer> {
  if (isShared(data)) return data;
  const shared = sharedBytes(data.byteLength);
  copyBytes(data, shared, 0);
  return shared;
}

/** Copies all of `from` to the offset in `to`. Throws `RangeError` where it does not fit. */
export function copyBytes(from: Uint8Array, to: Uint8Array, offset: number): void {
  const end = offset + from.byteLength;
  if (end > to.byteLength) throw new RangeError(`${end} bytes do not fit into ${to.byteLength}`);
  if (!isShared(to)) return to.set(from, offset);
  // `set` copies shared memory word by word, which takes three times as long as Buffer's copy.
  if (from.byteLength > 0) asBuffer(to).fill(from, offset, end);
}

const isShared = (data: Uint8Array): data is Uint8Array<SharedArrayBuffer> =>
  data.buffer instanceof SharedArrayBuffer;

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
