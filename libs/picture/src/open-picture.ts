import sharp, { type Sharp } from 'sharp';
import { exifFirst } from './exif-first.ts';

/** Loaders of libvips that are allowed. The others parse documents, vectors and rare formats. */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif'];

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS.map((loader) => `VipsForeignLoad${loader}`) });
// Every picture passes once: what libvips would keep of one is of no use to the next.
sharp.cache(false);

/** The first frame of a file, not yet read. Whoever reads a picture's size or its pixels opens it here. */
export const openPicture = (bytes: Uint8Array, maxPixels: number): Sharp =>
  sharp(exifFirst(bytes), { failOn: 'error', limitInputPixels: maxPixels });
