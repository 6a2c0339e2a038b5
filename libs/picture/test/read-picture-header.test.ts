import test from 'ava';
import sharp from 'sharp';
import { decodePicture } from '../src/decode-picture.ts';
import { PictureError, type PictureErrorCode } from '../src/errors.ts';
import { readPictureHeader } from '../src/read-picture-header.ts';
import {
  animationControl,
  asOneFrame,
  exif,
  pngChunk,
  upright,
  withChunk,
  withExif,
  withFillBytes,
  withScreen,
} from './helpers/odd-files.ts';

const WIDTH = 96;
const HEIGHT = 40;
const jpeg = await upright(WIDTH, HEIGHT).jpeg().toBuffer();
const png = await upright(WIDTH, HEIGHT).png().toBuffer();
const gif = await upright(WIDTH, HEIGHT).gif().toBuffer();
const webp = await upright(WIDTH, HEIGHT).webp({ lossless: true }).toBuffer();

const FILES: Readonly<Record<string, Buffer>> = {
  'a JPEG': jpeg,
  'a PNG': png,
  'a GIF': gif,
  'a WebP': webp,
  'a JPEG with fill bytes before its markers': withFillBytes(jpeg),
  'a PNG that says its orientation behind its pixels': withChunk(
    png,
    pngChunk('eXIf', exif({ orientation: 6 })),
    'after IDAT',
  ),
  'a PNG that says its orientation before its pixels': withChunk(
    png,
    pngChunk('eXIf', exif({ orientation: 6 })),
    'before IDAT',
  ),
  'a PNG with a broken orientation': withChunk(
    png,
    pngChunk('eXIf', Buffer.from('rubbish!')),
    'before IDAT',
  ),
  'a PNG animation of one frame': withChunk(png, animationControl(1), 'before IDAT'),
  'a WebP animation of one frame': asOneFrame(webp, WIDTH, HEIGHT),
  'a GIF on a larger screen': withScreen(gif, 640, 480),
  'a GIF on a smaller screen': withScreen(gif, 16, 16),
  'a GIF on a screen of no size': withScreen(gif, 0, 0),
  'a JPEG turned': withExif(jpeg, exif({ orientation: 6 })),
  'a JPEG turned, EXIF directory further back': withExif(
    jpeg,
    exif({ orientation: 6, directory: 26 }),
  ),
  'a JPEG turned, orientation as LONG': withExif(jpeg, exif({ orientation: 8, type: 4 })),
  'a JPEG with two EXIF blocks': withExif(jpeg, exif({ orientation: 6 }), exif({ orientation: 1 })),
  'a JPEG with two EXIF blocks, the second turned': withExif(
    jpeg,
    exif({ orientation: 1 }),
    exif({ orientation: 5 }),
  ),
  'a JPEG with an orientation that does not exist': withExif(jpeg, exif({ orientation: 9 })),
};

for (const [name, bytes] of Object.entries(FILES)) {
  test(`the header of ${name} has the size that the decoder makes`, async (t) => {
    const { width, height, frames } = await readPictureHeader(bytes);
    const decoded = await decodePicture(bytes, { maxPixels: 1_000_000 });
    t.deepEqual({ width, height }, { width: decoded.width, height: decoded.height });
    t.is(frames, 1);
  });
}

test('an orientation that lays the picture on its side swaps its sides', async (t) => {
  for (const orientation of [5, 6, 7, 8]) {
    for (const type of [3, 4] as const) {
      const turned = withExif(jpeg, exif({ orientation, type }));
      t.like(await readPictureHeader(turned), { width: HEIGHT, height: WIDTH });
    }
  }
  for (const orientation of [1, 2, 3, 4]) {
    const kept = withExif(jpeg, exif({ orientation }));
    t.like(await readPictureHeader(kept), { width: WIDTH, height: HEIGHT });
  }
});

test('an orientation behind the pixels of a PNG turns it as one before them does', async (t) => {
  const turn = pngChunk('eXIf', exif({ orientation: 6 }));
  const [before, after] = await Promise.all(
    (['before IDAT', 'after IDAT'] as const).map((where) =>
      decodePicture(withChunk(png, turn, where), { maxPixels: 1_000_000 }),
    ),
  );
  t.like(after, { width: HEIGHT, height: WIDTH });
  t.deepEqual(after, before);
});

test('the type is what the bytes say', async (t) => {
  const types = await Promise.all(
    [jpeg, png, gif, webp].map(async (bytes) => (await readPictureHeader(bytes)).mediaType),
  );
  t.deepEqual(types, ['image/jpeg', 'image/png', 'image/gif', 'image/webp']);
});

test('an animation reports its frames', async (t) => {
  const frames = await Promise.all(
    [upright(16, 12), upright(16, 12).negate()].map((one) => one.png().toBuffer()),
  );
  const animation = sharp(frames, { join: { animated: true } });
  t.is((await readPictureHeader(await animation.clone().gif().toBuffer())).frames, 2);
  t.is((await readPictureHeader(await animation.clone().webp().toBuffer())).frames, 2);
  t.is((await readPictureHeader(withChunk(png, animationControl(3), 'before IDAT'))).frames, 3);
});

const refused = test.macro(async (t, bytes: Uint8Array, code: PictureErrorCode) => {
  await t.throwsAsync(readPictureHeader(bytes), { instanceOf: PictureError, code });
});

test('refused: nothing', refused, Buffer.alloc(0), 'unsupported');
test(
  'refused: a drawing',
  refused,
  Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
  'unsupported',
);
test('refused: a document', refused, Buffer.concat([Buffer.from('%PDF-1.7 '), png]), 'unsupported');
test('refused: a TIFF', refused, exif({ orientation: 1 }), 'unsupported');
test('refused: a PNG cut off in its header', refused, png.subarray(0, 20), 'broken');
test('refused: a JPEG cut off in its header', refused, jpeg.subarray(0, 40), 'broken');
test('refused: a WebP cut off in its header', refused, webp.subarray(0, 22), 'broken');
test('refused: a GIF cut off in its header', refused, gif.subarray(0, 12), 'broken');
