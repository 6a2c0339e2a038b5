import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';

/** A picture that shows which way up it is: red in its upper left corner, blue elsewhere. */
export const upright = (width: number, height: number): Sharp =>
  sharp({ create: { width, height, channels: 3, background: 'blue' } }).composite([
    { input: { create: { width: 8, height: 8, channels: 3, background: 'red' } }, left: 0, top: 0 },
  ]);

interface ExifForm {
  readonly orientation: number;
  /** Offset of the directory. @default 8 */
  readonly directory?: number;
  /** Type of the entry: 3 is SHORT, 4 is LONG. @default 3 */
  readonly type?: 3 | 4;
}

/** A TIFF block, little endian, that says nothing but the orientation. */
export function exif({ orientation, directory = 8, type = 3 }: ExifForm): Buffer {
  const tiff = Buffer.alloc(directory + 18);
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(directory, 4);
  tiff.writeUInt16LE(1, directory);
  tiff.writeUInt16LE(0x0112, directory + 2);
  tiff.writeUInt16LE(type, directory + 4);
  tiff.writeUInt32LE(1, directory + 6);
  tiff.writeUInt16LE(orientation, directory + 10);
  return tiff;
}

/** A JPEG with the blocks as APP1 segments right behind its start. */
export function withExif(jpeg: Buffer, ...blocks: readonly Buffer[]): Buffer {
  const segments = blocks.map((block) => {
    const head = Buffer.from('ffe100004578696600 00'.replaceAll(' ', ''), 'hex');
    head.writeUInt16BE(block.length + 8, 2);
    return Buffer.concat([head, block]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

/** More than one 0xFF before each of the first markers, as the standard allows. */
export function withFillBytes(jpeg: Buffer): Buffer {
  const length = jpeg.readUInt16BE(4);
  const second = 4 + length;
  const fill = Buffer.alloc(5, 0xff);
  return Buffer.concat([
    jpeg.subarray(0, 2),
    fill,
    jpeg.subarray(2, second),
    fill,
    jpeg.subarray(second),
  ]);
}

export function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A PNG with a chunk put in: behind its header, or behind its pixels. */
export function withChunk(png: Buffer, chunk: Buffer, where: 'before IDAT' | 'after IDAT'): Buffer {
  const at = where === 'before IDAT' ? 33 : png.length - 12;
  return Buffer.concat([png.subarray(0, at), chunk, png.subarray(at)]);
}

/** `acTL`: how many frames an animated PNG has. */
export function animationControl(frames: number): Buffer {
  const data = Buffer.alloc(8);
  data.writeUInt32BE(frames);
  return pngChunk('acTL', data);
}

/** A GIF whose logical screen claims another size than its frame has. */
export function withScreen(gif: Buffer, width: number, height: number): Buffer {
  const changed = Buffer.from(gif);
  changed.writeUInt16LE(width, 6);
  changed.writeUInt16LE(height, 8);
  return changed;
}

const u24 = (value: number): Buffer => Buffer.from([value & 255, (value >> 8) & 255, value >> 16]);

/** A WebP as an animation of one frame. */
export function asOneFrame(webp: Buffer, width: number, height: number): Buffer {
  const size = Buffer.concat([u24(width - 1), u24(height - 1)]);
  const frame = Buffer.concat([
    u24(0),
    u24(0),
    size,
    u24(100),
    Buffer.from([0]),
    webp.subarray(12),
  ]);
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    riffChunk('VP8X', Buffer.concat([Buffer.from([2, 0, 0, 0]), size])),
    riffChunk('ANIM', Buffer.alloc(6)),
    riffChunk('ANMF', frame),
  ]);
  return riffChunk('RIFF', body);
}

function riffChunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}
