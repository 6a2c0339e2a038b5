import test from 'ava';
import { ApiError, type ApiErrorCode } from '../../../src/http/errors.ts';
import { decodeDataUri } from '../../../src/core/media/data-uri.ts';

const decode = (uri: string, maxBytes = 100) => decodeDataUri(uri, maxBytes, 'p').toString();

test('base64 of every length is decoded, padded or not, of either alphabet', (t) => {
  for (const text of ['', 'a', 'ab', 'abc', 'abcd']) {
    t.is(decode(`data:image/png;base64,${Buffer.from(text).toString('base64')}`), text);
    t.is(decode(`data:;base64,${Buffer.from(text).toString('base64url')}`), text);
  }
  t.is(decode('DATA:image/png;charset=x;BASE64,YQ=='), 'a');
  t.is(decode('data:image/png; base64 ,YQ=='), 'a');
});

const refused = test.macro((t, uri: string, code: ApiErrorCode) => {
  t.is(t.throws<ApiError>(() => decode(uri), { instanceOf: ApiError })?.code, code);
});

test('refused: no comma', refused, 'data:image/png;base64', 'invalid_image_data');
test('refused: not base64', refused, 'data:image/png,abc', 'invalid_image_data');
test('refused: characters of no alphabet', refused, 'data:;base64,a!bcd', 'invalid_image_data');
test(
  'refused: characters of no alphabet at the end',
  refused,
  'data:;base64,YWJj!',
  'invalid_image_data',
);
test(
  'refused: a length that base64 cannot have',
  refused,
  'data:;base64,YWJjZ',
  'invalid_image_data',
);
test('refused: padding in the middle', refused, 'data:;base64,YQ==YQ==', 'invalid_image_data');
test(
  'refused: too large, before it is decoded',
  refused,
  `data:;base64,${'A'.repeat(200)}`,
  'image_too_large',
);
