import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { itemMaker, type VisionItem } from '@epd/model/preprocess';
import { tempFolder } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import sharp, { type Sharp } from 'sharp';
import { EncoderError } from '../../src/errors.ts';
import { preprocess } from '../../src/preprocess/preprocess.ts';
import { resizers } from '../../src/preprocess/resize.ts';
import { TINY_VLM } from '../helpers/folders.ts';
import { referencePixels } from '../helpers/yardstick.ts';

/** A step of an 8-bit channel is 8e-3: what is left is where the reference rounds to 32 bits. */
const TOLERANCE = 5e-5;

const WHOLE = {
  image_processor_type: 'Idefics3ImageProcessor',
  do_convert_rgb: true,
  do_image_splitting: false,
  do_resize: true,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  resample: 1,
  size: { longest_edge: 128 },
  max_image_size: { longest_edge: 128 },
};
const CUT = {
  ...WHOLE,
  do_image_splitting: true,
  size: { longest_edge: 512 },
  max_image_size: { longest_edge: 128 },
};
type Config = typeof WHOLE;

const options = (config: Config) => {
  const geometry = {
    family: 'idefics3' as const,
    longestEdge: config.size.longest_edge,
    tileEdge: config.max_image_size.longest_edge,
    splits: config.do_image_splitting,
    rowsPerTile: 16,
    markers: { whole: 3, tile: 2, rowEnd: 1, lastRowEnd: 1 },
  };
  const files = { path: TINY_VLM, preprocessor: config };
  return { make: itemMaker(files, geometry, resizers), maxPixels: 1_000_000 };
};

/** Smooth waves and sharp noise, the same in every run. */
function picture(width: number, height: number, channels: 1 | 3 | 4 = 3): Sharp {
  const data = Uint8Array.from({ length: width * height * channels }, (_, index) => {
    const wave = 110 + 90 * Math.sin(index / 97) * Math.cos(index / (width * 11));
    return wave + ((index * 7919) % 53);
  });
  return sharp(data, { raw: { width, height, channels } });
}

function isClose(
  t: ExecutionContext,
  pixels: VisionItem,
  expected: Float32Array,
  tolerance: number,
): void {
  t.is(pixels.data.length, expected.length);
  const worst = pixels.data.reduce((most, value, index) => {
    return Math.max(most, Math.abs(value - expected[index]!));
  }, 0);
  t.true(worst <= tolerance, `differs by ${worst}`);
}

/** `shown`: what the reference is given, where it would read the file otherwise. */
async function equalsReference(
  t: ExecutionContext,
  bytes: Uint8Array,
  config: Config,
  shown = bytes,
): Promise<void> {
  const pixels = await preprocess(bytes, options(config));
  const reference = await referencePixels(await tempFolder(t), config, shown);
  t.deepEqual([...reference.dims], [1, pixels.parts, 3, 128, 128]);
  isClose(t, pixels, reference.data, TOLERANCE);
}

const FILES: readonly (readonly [string, () => Promise<Buffer>])[] = [
  ['a PNG of the right size', () => picture(128, 128).png().toBuffer()],
  ['a wide PNG', () => picture(300, 97).png().toBuffer()],
  ['a tall JPEG', () => picture(211, 640).jpeg().toBuffer()],
  ['a small WebP', () => picture(31, 57).webp().toBuffer()],
  ['a gray PNG', () => picture(150, 90, 1).toColourspace('b-w').png().toBuffer()],
  ['a turned JPEG', () => picture(200, 90).withMetadata({ orientation: 6 }).jpeg().toBuffer()],
];

for (const [name, make] of FILES) {
  test(`${name} becomes the pixels of the reference`, async (t) => {
    await equalsReference(t, await make(), WHOLE);
  });
  test(`${name} becomes the tiles of the reference`, async (t) => {
    await equalsReference(t, await make(), CUT);
  });
}

test('a PNG with transparency becomes the pixels of the same on white', async (t) => {
  const see = picture(150, 90, 4);
  const bytes = await see.clone().png().toBuffer();
  // transformers.js drops the alpha channel; the Python processor lays the picture on white.
  const onWhite = await see.flatten({ background: 'white' }).png().toBuffer();
  await equalsReference(t, bytes, WHOLE, onWhite);
  await equalsReference(t, bytes, CUT, onWhite);
});

for (const resample of [0, 2, 3]) {
  test(`resampling ${resample} is that of the reference`, async (t) => {
    const bytes = await picture(320, 200).png().toBuffer();
    await equalsReference(t, bytes, { ...WHOLE, resample });
    await equalsReference(t, bytes, { ...CUT, resample });
  });
}

test('a golden picture becomes the very same pixels', async (t) => {
  const bytes = await readFile(join(TINY_VLM, 'golden/01-0.png'));
  const pixels = await preprocess(bytes, options(WHOLE));
  const reference = await referencePixels(await tempFolder(t), WHOLE, bytes);
  isClose(t, pixels, reference.data, 0);
});

test('the first frame of an animation is taken', async (t) => {
  const frames = [picture(128, 128), picture(128, 128).negate()].map((frame) =>
    frame.png().toBuffer(),
  );
  const animation = await sharp(await Promise.all(frames), { join: { animated: true } })
    .gif()
    .toBuffer();
  const first = await sharp(animation, { page: 0 }).png().toBuffer();
  const [moving, still] = await Promise.all([
    preprocess(animation, options(WHOLE)),
    preprocess(first, options(WHOLE)),
  ]);
  t.deepEqual(moving.data, still.data);
});

test('gray with transparency is understood', async (t) => {
  const gray = await picture(60, 60, 1)
    .joinChannel(Buffer.alloc(3600, 200), { raw: { width: 60, height: 60, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
  t.is((await preprocess(gray, options(WHOLE))).data.length, 3 * 128 * 128);
});

async function isRefused(t: ExecutionContext, bytes: Uint8Array, code: string): Promise<void> {
  await t.throwsAsync(preprocess(bytes, options(WHOLE)), { instanceOf: EncoderError, code });
}

test('what is no image is refused', (t) =>
  isRefused(t, Buffer.from('<html>no</html>'), 'image_unsupported'));

test('a vector drawing is refused', (t) =>
  isRefused(
    t,
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
    'image_unsupported',
  ));

test('a truncated file is refused', async (t) => {
  for (const bytes of [
    await picture(200, 200).jpeg().toBuffer(),
    await picture(200, 200).png().toBuffer(),
  ]) {
    await isRefused(t, bytes.subarray(0, bytes.length / 2), 'image_broken');
  }
});

test('more pixels than allowed are refused before they are decoded', async (t) => {
  const bytes = await sharp({
    create: { width: 1001, height: 1000, channels: 3, background: 'red' },
  })
    .png()
    .toBuffer();
  await isRefused(t, bytes, 'image_too_large');
});
