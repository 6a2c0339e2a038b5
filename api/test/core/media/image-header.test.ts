import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { ApiError, type ApiErrorCode } from '../../../src/http/errors.ts';
import { readImageHeader } from '../../../src/core/media/image-header.ts';
import { chunk, png, pngOf } from '../../helpers/pictures.ts';

const read = (bytes: Uint8Array) => readImageHeader(bytes, 1_000_000, 'p');

const refused = test.macro((t, bytes: Uint8Array, code: ApiErrorCode) => {
  t.is(t.throws<ApiError>(() => read(bytes), { instanceOf: ApiError })?.code, code);
});

/** A TIFF block that says nothing but the orientation. */
function exif(orientation: number): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(1, 8);
  tiff.writeUInt16LE(0x0112, 10);
  tiff.writeUInt16LE(3, 12);
  tiff.writeUInt32LE(1, 14);
  tiff.writeUInt16LE(orientation, 18);
  return tiff;
}

function jpeg(width: number, height: number, orientation?: number): Buffer {
  const app1 =
    orientation === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([Buffer.from('Exif\0\0'), exif(orientation)]);
  const size = Buffer.alloc(2);
  size.writeUInt16BE(app1.length + 2);
  const frame = Buffer.from('ffc0000b080000000001011100', 'hex');
  frame.writeUInt16BE(height, 5);
  frame.writeUInt16BE(width, 7);
  const comment = Buffer.from('fffe00046869', 'hex');
  const meta = orientation === undefined ? [comment] : [Buffer.from('ffe1', 'hex'), size, app1];
  return Buffer.concat([Buffer.from('ffd8', 'hex'), ...meta, frame, Buffer.from('ffd9', 'hex')]);
}

function webp(width: number, height: number, flags: number, ...chunks: Buffer[]): Buffer {
  const extended = Buffer.alloc(18);
  extended.write('VP8X', 'latin1');
  extended.writeUInt32LE(10, 4);
  extended[8] = flags;
  extended.writeUIntLE(width - 1, 12, 3);
  extended.writeUIntLE(height - 1, 15, 3);
  const body = Buffer.concat([Buffer.from('WEBP'), extended, ...chunks]);
  const head = Buffer.alloc(8);
  head.write('RIFF', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

function riff(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data]);
}

function gif(frames: number): Buffer {
  const head = Buffer.from('4749463839610800060080000000000000ffffff', 'hex').subarray(0, 13);
  const palette = Buffer.from('000000ffffff', 'hex');
  const frame = Buffer.from('2c00000000080006000002024c0100', 'hex');
  return Buffer.concat([
    head,
    palette,
    ...Array.from({ length: frames }, () => frame),
    Buffer.from(';'),
  ]);
}

test('the type is what the bytes say, the size what is shown', (t) => {
  t.deepEqual(read(png(8, 6)), { mediaType: 'image/png', width: 8, height: 6 });
  t.deepEqual(read(jpeg(30, 20)), { mediaType: 'image/jpeg', width: 30, height: 20 });
  t.deepEqual(read(webp(30, 20, 0)), { mediaType: 'image/webp', width: 30, height: 20 });
  t.deepEqual(read(gif(1)), { mediaType: 'image/gif', width: 8, height: 6 });
});

test('an orientation that lays the picture on its side swaps its sides', (t) => {
  for (const orientation of [5, 6, 7, 8]) {
    t.like(read(jpeg(30, 20, orientation)), { width: 20, height: 30 });
    t.like(read(pngOf(30, 20, [chunk('eXIf', exif(orientation))])), { width: 20, height: 30 });
    t.like(read(webp(30, 20, 8, riff('EXIF', exif(orientation)))), { width: 20, height: 30 });
  }
  for (const orientation of [1, 2, 3, 4, 9])
    t.like(read(jpeg(30, 20, orientation)), { width: 30, height: 20 });
});

test('a broken orientation is none', (t) => {
  t.like(read(pngOf(30, 20, [chunk('eXIf', exif(6).subarray(0, 12))])), { width: 30, height: 20 });
  t.like(read(pngOf(30, 20, [chunk('eXIf', Buffer.from('rubbish!'))])), { width: 30, height: 20 });
});

test('refused: nothing', refused, Buffer.alloc(0), 'unsupported_image_type');
test(
  'refused: a script',
  refused,
  Buffer.from('<svg onload="alert(1)"/>'),
  'unsupported_image_type',
);
test(
  'refused: a PDF with a picture behind it',
  refused,
  Buffer.concat([Buffer.from('%PDF-1.7 '), png()]),
  'unsupported_image_type',
);
test('refused: a PNG cut off', refused, png().subarray(0, 20), 'invalid_image');
test('refused: a JPEG cut off', refused, jpeg(8, 6).subarray(0, 6), 'invalid_image');
test('refused: a WebP cut off', refused, webp(8, 6, 0).subarray(0, 22), 'invalid_image');
test('refused: no width', refused, pngOf(0, 6, []), 'invalid_image');
test('refused: a bomb, by its header', refused, pngOf(30_000, 30_000, []), 'image_too_many_pixels');
test(
  'refused: a side beyond any reader',
  refused,
  pngOf(2_000_000_000, 1, []),
  'image_too_many_pixels',
);
test(
  'refused: an animated PNG',
  refused,
  pngOf(8, 6, [chunk('acTL', Buffer.alloc(8))]),
  'animated_image',
);
test('refused: an animated WebP', refused, webp(8, 6, 2), 'animated_image');
test('refused: an animated GIF', refused, gif(2), 'animated_image');

test("the project's own pictures are read", async (t) => {
  const golden = await readFile(projectPath('models/tiny-vlm/golden/00-0.png'));
  t.like(read(golden), { mediaType: 'image/png' });
});
