import type { ImageType } from './image-type.ts';

/** Whether a picture has more than one frame. A question about it has no one answer then. */
export function isAnimated(bytes: Uint8Array, type: ImageType): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (type === 'image/png') return hasChunkBeforePixels(view, 'acTL');
  if (type === 'image/webp') return isAnimatedWebp(view);
  return type === 'image/gif' && hasSecondFrame(view);
}

/** PNG chunks: length, type, data, checksum. An animation announces itself before the first IDAT. */
function hasChunkBeforePixels(png: Buffer, wanted: string): boolean {
  for (let at = 8; at + 12 <= png.length; at += 12 + png.readUInt32BE(at)) {
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === wanted) return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

const WEBP_ANIMATION_FLAG = 0x02;

const isAnimatedWebp = (webp: Buffer): boolean =>
  webp.toString('latin1', 12, 16) === 'VP8X' && ((webp[20] ?? 0) & WEBP_ANIMATION_FLAG) !== 0;

const GIF_EXTENSION = 0x21;
const GIF_IMAGE = 0x2c;
const HEADER_BYTES = 13;
const IMAGE_DESCRIPTOR_BYTES = 10;

/** Walks a GIF's blocks until a second image descriptor, the trailer or the end. */
function hasSecondFrame(gif: Buffer): boolean {
  let at = HEADER_BYTES + colourTableBytes(gif[10] ?? 0);
  let frames = 0;
  while (at < gif.length) {
    if (gif[at] === GIF_IMAGE) {
      frames += 1;
      if (frames > 1) return true;
      at = skipSubBlocks(gif, at + IMAGE_DESCRIPTOR_BYTES + colourTableBytes(gif[at + 9] ?? 0) + 1);
    } else if (gif[at] === GIF_EXTENSION) {
      at = skipSubBlocks(gif, at + 2);
    } else {
      return false;
    }
  }
  return false;
}

const colourTableBytes = (packed: number): number =>
  (packed & 0x80) === 0 ? 0 : 3 * 2 ** ((packed & 7) + 1);

function skipSubBlocks(gif: Buffer, start: number): number {
  let at = start;
  while (at < gif.length && gif[at] !== 0) at += (gif[at] ?? 0) + 1;
  return at + 1;
}
