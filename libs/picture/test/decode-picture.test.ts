import test from 'ava';
import sharp, { type Sharp } from 'sharp';
import { decodePicture } from '../src/decode-picture.ts';
import { PictureError } from '../src/errors.ts';

const LIMITS = { maxPixels: 1_000_000 };
const BLACK = { r: 0, g: 0, b: 0 };
const SQUARE = { width: 20, height: 20 };

/** Black text, say, on a transparent page: a black square in the middle, and black that is not shown. */
const transparent = (): Sharp =>
  sharp({
    create: { width: 60, height: 60, channels: 4, background: { ...BLACK, alpha: 0 } },
  }).composite([
    {
      input: { create: { ...SQUARE, channels: 4, background: { ...BLACK, alpha: 1 } } },
      left: 20,
      top: 20,
    },
  ]);

const onWhite = (): Sharp =>
  sharp({ create: { width: 60, height: 60, channels: 3, background: 'white' } }).composite([
    { input: { create: { ...SQUARE, channels: 3, background: BLACK } }, left: 20, top: 20 },
  ]);

test('a transparent picture is laid on white, whatever its format', async (t) => {
  const reference = await decodePicture(await onWhite().png().toBuffer(), LIMITS);
  const files = await Promise.all([
    transparent().png().toBuffer(),
    transparent().png({ palette: true }).toBuffer(),
    transparent().gif().toBuffer(),
    transparent().webp({ lossless: true }).toBuffer(),
    transparent().toColourspace('b-w').png().toBuffer(),
    transparent().toColourspace('rgb16').png().toBuffer(),
  ]);
  for (const file of files) t.deepEqual(await decodePicture(file, LIMITS), reference);
});

test('what is half transparent is half white', async (t) => {
  const half = await sharp({
    create: { width: 1, height: 1, channels: 4, background: { r: 200, g: 100, b: 0, alpha: 0.5 } },
  })
    .png()
    .toBuffer();
  const { data } = await decodePicture(half, LIMITS);
  for (const [index, expected] of [227, 177, 127].entries()) {
    t.true(Math.abs(data[index]! - expected) <= 1, `channel ${index}: ${data[index]}`);
  }
});

test('more pixels than allowed are refused', async (t) => {
  const bytes = await onWhite().png().toBuffer();
  await t.throwsAsync(decodePicture(bytes, { maxPixels: 3599 }), {
    instanceOf: PictureError,
    code: 'too_many_pixels',
  });
});
