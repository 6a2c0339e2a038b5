import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { uniform } from './random.ts';
import type { Picture } from './question.ts';

export interface PictureOptions {
  /** Where drawings to start from are: every PNG of the folder in turn. */
  readonly drawings: string;
  /** Where the pictures are written. */
  readonly folder: string;
  /** Side in pixels. */
  readonly size: number;
  readonly count: number;
  /** Pictures of different seeds differ, of the same seed are the same. */
  readonly seed: number;
}

const BLOCKS = 24;
const CHANNELS = 3;

/** Pictures that all differ, as PNG files: drawings with some small blocks of random colour. */
export async function makePictures(options: PictureOptions): Promise<Picture[]> {
  const { folder, size, count, seed } = options;
  await mkdir(folder, { recursive: true });
  const drawings = await readDrawings(options);
  const next = uniform(Math.imul(seed + 1, 0x9e3779b1));
  const pictures: Picture[] = [];
  for (let i = 0; i < count; i++) {
    const pixels = Buffer.from(drawings[i % drawings.length] ?? []);
    paintBlocks(pixels, size, next);
    const raw = { width: size, height: size, channels: CHANNELS } as const;
    const png = await sharp(pixels, { raw }).png({ compressionLevel: 1 }).toBuffer();
    const path = join(folder, `${seed}-${i}.png`);
    await writeFile(path, png);
    pictures.push({ path, dataUri: `data:image/png;base64,${png.toString('base64')}` });
  }
  return pictures;
}

/** Their pixels, `size` by `size`, 8 bits, interleaved RGB. */
async function readDrawings({ drawings, size, count }: PictureOptions): Promise<Buffer[]> {
  const names = (await readdir(drawings)).filter((name) => name.endsWith('.png')).toSorted();
  return Promise.all(
    names
      .slice(0, count)
      .map((name) =>
        sharp(join(drawings, name))
          .flatten()
          .toColourspace('srgb')
          .resize(size, size, { fit: 'fill' })
          .raw()
          .toBuffer(),
      ),
  );
}

function paintBlocks(pixels: Buffer, size: number, next: () => number): void {
  const side = Math.max(1, size >> 5);
  const below = (limit: number): number => Math.floor(next() * limit);
  for (let block = 0; block < BLOCKS; block++) {
    const colour = Buffer.from([below(256), below(256), below(256)]);
    const [left, top] = [below(size - side), below(size - side)];
    for (let y = top; y < top + side; y++) {
      const start = (y * size + left) * CHANNELS;
      pixels.fill(colour, start, start + side * CHANNELS);
    }
  }
}
