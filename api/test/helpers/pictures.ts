import { crc32, deflateSync } from 'node:zlib';

/** A PNG of one colour, valid to the last byte. `seed` makes its bytes its own. */
export function png(width = 8, height = 6, seed = 0): Buffer {
  const row = Buffer.alloc(1 + width * 3, seed & 0xff);
  row[0] = 0;
  const pixels = Buffer.concat(Array.from({ length: height }, () => row));
  return pngOf(width, height, [chunk('IDAT', deflateSync(pixels))]);
}

/** A PNG whose header promises a size; the pixels are somebody else's. */
export const pngOf = (width: number, height: number, chunks: readonly Buffer[]): Buffer =>
  Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header(width, height)),
    ...chunks,
    chunk('IEND', Buffer.alloc(0)),
  ]);

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

export function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

function header(width: number, height: number): Buffer {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width);
  data.writeUInt32BE(height, 4);
  data.set([8, 2, 0, 0, 0], 8);
  return data;
}

export const dataUri = (bytes: Uint8Array, type = 'image/png'): string =>
  `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
