import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { ApiError, type ApiErrorCode } from '../../../src/http/errors.ts';
import { readImageHeader } from '../../../src/core/media/image-header.ts';
import { chunk, png, pngOf } from '../../helpers/pictures.ts';

const read = (bytes: Uint8Array) => readImageHeader(bytes, 1_000_000, 'p');

const refused = test.macro(async (t, bytes: Uint8Array, code: ApiErrorCode) => {
  await t.throwsAsync(read(bytes), { instanceOf: ApiError, code, message: /^p: / });
});

const empty = chunk('IDAT', Buffer.alloc(0));

test('the type is what the bytes say, the size what is shown', async (t) => {
  t.deepEqual(await read(png(8, 6)), { mediaType: 'image/png', width: 8, height: 6 });
});

test('refused: nothing', refused, Buffer.alloc(0), 'unsupported_image_type');
test(
  'refused: a script',
  refused,
  Buffer.from('<svg onload="alert(1)"/>'),
  'unsupported_image_type',
);
test('refused: a PNG cut off', refused, png().subarray(0, 20), 'invalid_image');
test('refused: no width', refused, pngOf(0, 6, [empty]), 'invalid_image');
test(
  'refused: a bomb, by its header',
  refused,
  pngOf(30_000, 30_000, [empty]),
  'image_too_many_pixels',
);
test('refused: a side too long', refused, pngOf(32_768, 1, [empty]), 'image_too_many_pixels');
test(
  'refused: an animated PNG',
  refused,
  pngOf(8, 6, [chunk('acTL', Buffer.from('0000000200000000', 'hex')), empty]),
  'animated_image',
);

test("the project's own pictures are read", async (t) => {
  const golden = await readFile(projectPath('models/tiny-vlm/golden/00-0.png'));
  t.like(await read(golden), { mediaType: 'image/png' });
});
