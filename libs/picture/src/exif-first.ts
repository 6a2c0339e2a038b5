const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Length and type before a chunk's data, a checksum behind it. */
const CHUNK_BYTES = 12;
/** Behind the signature and IHDR, which is always first and of one length. */
const AFTER_HEADER = 33;

/**
 * A PNG with its `eXIf` chunk before its pixels. The standard lets it stand behind them, where viewers heed it and
 * libvips, which reads the header first, does not. Any other file is returned as it is.
 */
export function exifFirst(bytes: Uint8Array): Uint8Array {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!png.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return bytes;
  let pixelsBegan = false;
  for (let at = SIGNATURE.length; at + CHUNK_BYTES <= png.length;) {
    const type = png.toString('latin1', at + 4, at + 8);
    const end = at + CHUNK_BYTES + png.readUInt32BE(at);
    if (type === 'eXIf') return pixelsBegan && end <= png.length ? moved(png, at, end) : bytes;
    pixelsBegan ||= type === 'IDAT';
    at = end;
  }
  return bytes;
}

const moved = (png: Buffer, start: number, end: number): Buffer =>
  Buffer.concat([
    png.subarray(0, AFTER_HEADER),
    png.subarray(start, end),
    png.subarray(AFTER_HEADER, start),
    png.subarray(end),
  ]);
