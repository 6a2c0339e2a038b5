/** Length and type before a chunk's data, a checksum behind it. */
const CHUNK_BYTES = 12;
const SIGNATURE_BYTES = 8;

/** How many frames a PNG announces: an animation does so, in `acTL`, before its first IDAT. */
export function framesOfPng(bytes: Uint8Array): number {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = SIGNATURE_BYTES;
  while (at + CHUNK_BYTES <= png.length) {
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'acTL') return at + CHUNK_BYTES <= png.length ? png.readUInt32BE(at + 8) : 1;
    if (type === 'IDAT') return 1;
    at += CHUNK_BYTES + png.readUInt32BE(at);
  }
  return 1;
}
