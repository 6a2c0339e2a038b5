import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import sharp from 'sharp';
import { makePictures } from '../src/pictures.ts';

const drawings = join(import.meta.dirname, '../../models/tiny-vlm/golden');

test('pictures of one seed all differ, and are the same the next time', async (t) => {
  const make = async (seed: number) =>
    makePictures({ drawings, folder: await tempFolder(t), size: 64, count: 60, seed });
  const [first, again, other] = [await make(1), await make(1), await make(2)];
  const uris = first.map(({ dataUri }) => dataUri);
  t.is(new Set(uris).size, 60);
  t.deepEqual(
    uris,
    again.map(({ dataUri }) => dataUri),
  );
  t.false(other.some(({ dataUri }) => uris.includes(dataUri)));
});

test('a picture has the size that was asked for, and its data URI the bytes of its file', async (t) => {
  const [picture] = await makePictures({
    drawings,
    folder: await tempFolder(t),
    size: 96,
    count: 1,
    seed: 1,
  });
  const bytes = await readFile(picture?.path ?? '');
  t.is(picture?.dataUri, `data:image/png;base64,${bytes.toString('base64')}`);
  const { width, height, channels } = await sharp(bytes).metadata();
  t.deepEqual([width, height, channels], [96, 96, 3]);
});
