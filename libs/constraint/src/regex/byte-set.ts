/** A set of bytes as a table of 256 flags. */
export type ByteSet = Uint8Array;

export function byteSet(...ranges: readonly (readonly [from: number, to: number])[]): ByteSet {
  const set = new Uint8Array(256);
  for (const [from, to] of ranges) set.fill(1, from, to + 1);
  return set;
}

export function unite(a: ByteSet, b: ByteSet): ByteSet {
  const set = a.slice();
  for (let byte = 0; byte < 256; byte++) if (b[byte] === 1) set[byte] = 1;
  return set;
}

export const isEmpty = (set: ByteSet): boolean => !set.includes(1);

/** Equal sets have equal keys. */
export function byteSetKey(set: ByteSet): string {
  let key = '';
  for (let byte = 0; byte < 256; byte++) {
    if (set[byte] === 0) continue;
    const from = byte;
    while (set[byte + 1] === 1) byte++;
    key += `${from}-${byte},`;
  }
  return key;
}
