import type { ImageType } from './image-type.ts';

const ORIENTATION_TAG = 0x0112;
const MAX_TAGS = 512;

/**
 * Whether EXIF turns the picture on its side, so that what is stored as its width is seen as its
 * height. PNG and WebP only; for JPEG the header reader tells.
 */
export function liesOnItsSide(bytes: Uint8Array, type: ImageType): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'image/png') return turns(findPngChunk(view, 'eXIf'));
  return type === 'image/webp' && turns(findWebpChunk(view, 'EXIF'));
}

/** Values 5 to 8 swap the axes. */
export const swapsAxes = (orientation: number | undefined): boolean =>
  orientation !== undefined && orientation >= 5 && orientation <= 8;

const turns = (tiff: Buffer | null): boolean => tiff !== null && swapsAxes(readOrientation(tiff));

function findPngChunk(png: Buffer, wanted: string): Buffer | null {
  for (let at = 8; at + 12 <= png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) !== wanted) continue;
    return png.subarray(at + 8, at + 8 + png.readUInt32BE(at));
  }
  return null;
}

/** RIFF chunks: name, little-endian length, data padded to even. */
function findWebpChunk(webp: Buffer, wanted: string): Buffer | null {
  for (let at = 12; at + 8 <= webp.length;) {
    const length = webp.readUInt32LE(at + 4);
    if (webp.toString('latin1', at, at + 4) === wanted)
      return webp.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  return null;
}

/** The orientation in a TIFF block's first directory; undefined where there is none to be read. */
function readOrientation(block: Buffer): number | undefined {
  const tiff = block.toString('latin1', 0, 4) === 'Exif' ? block.subarray(6) : block;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const u16 = (at: number): number => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const u32 = (at: number): number => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
  if (tiff.length < 8) return undefined;
  const directory = u32(4);
  if (directory + 2 > tiff.length) return undefined;
  const tags = Math.min(u16(directory), MAX_TAGS);
  for (let at = directory + 2; at + 12 <= tiff.length && at < directory + 2 + tags * 12; at += 12) {
    if (u16(at) === ORIENTATION_TAG) return u16(at + 8);
  }
  return undefined;
}
