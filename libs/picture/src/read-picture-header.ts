import pLimit from 'p-limit';
import type { Metadata } from 'sharp';
import { framesOfPng } from './frames-of-png.ts';
import { PictureError, pictureErrorOf } from './errors.ts';
import { openPicture } from './open-picture.ts';

/** By libvips's name of the format. */
const TYPES = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
} as const;
export type PictureType = (typeof TYPES)[keyof typeof TYPES];

export interface PictureHeader {
  readonly mediaType: PictureType;
  /** Pixels as shown: with the EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
  readonly frames: number;
}

/**
 * Headers read at a time. Each holds a thread of the process's pool of four, which also looks up names and
 * reads files: many slow headers must not hold up those.
 */
const CONCURRENCY = 2;
const withinPool = pLimit(CONCURRENCY);

/** sharp's word for no limit: how large a picture may be is the caller's to say. */
const ANY_SIZE = 0;

/**
 * What the decoder itself will make of a file, without decoding a pixel: there is no second opinion on a
 * picture's size that could differ. Takes time in proportion to the file, off this thread. Throws
 * `PictureError`; a picture of any size passes.
 */
export async function readPictureHeader(bytes: Uint8Array): Promise<PictureHeader> {
  try {
    const metadata = await withinPool(() => openPicture(bytes, ANY_SIZE).metadata());
    return headerOf(metadata, bytes);
  } catch (error) {
    throw pictureErrorOf(error, Number.POSITIVE_INFINITY);
  }
}

function headerOf({ format, autoOrient, pages = 1 }: Metadata, bytes: Uint8Array): PictureHeader {
  if (!isKnown(format)) {
    throw new PictureError('unsupported', 'The picture is of no supported format');
  }
  // libvips shows an animated PNG's first frame and does not tell of the others.
  const frames = format === 'png' ? framesOfPng(bytes) : pages;
  return { mediaType: TYPES[format], ...autoOrient, frames };
}

const isKnown = (format: string | undefined): format is keyof typeof TYPES =>
  format !== undefined && Object.hasOwn(TYPES, format);
