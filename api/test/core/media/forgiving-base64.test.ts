import test from 'ava';
import { forgivingBase64 } from '../../../src/core/media/forgiving-base64.ts';

const decode = (data: string) => forgivingBase64(data).decode()?.toString() ?? null;

test('line breaks of MIME encoders and of base64 without -w0 are passed over', (t) => {
  const text = 'a picture that takes more than one line of seventy-six characters '.repeat(3);
  const lines =
    Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  t.is(decode(lines.join('\n') + '\n'), text);
  t.is(decode(lines.join('\r\n')), text);
  t.is(decode(' YW\tJj\f '), 'abc');
  t.is(decode('Y Q = ='), 'a');
});

test('percent-encoded characters are those that they stand for', (t) => {
  const bytes = Buffer.from([0xfb, 0xef, 0xff, 0xfe]);
  const encoded = encodeURIComponent(bytes.toString('base64'));
  t.regex(encoded, /%2B.*%2F.*%3D/);
  t.deepEqual(forgivingBase64(encoded).decode(), bytes);
  t.is(decode('YWJj%0aYWJj%0D%0A'), 'abcabc');
});

test('what is not base64 is null', (t) => {
  for (const data of [
    'YQ%',
    'YQ%3',
    'YQ%zz',
    'YWJ%00j',
    'YW\u00a0Jj',
    'Y\u0141Jj',
    'Y%C5%81Jj',
    'Y Q = = =',
    'YWJjZ',
  ]) {
    t.is(decode(data), null, data);
  }
});

test('its size is known before it is decoded, white space not counted', (t) => {
  t.is(forgivingBase64('YWJj\n'.repeat(10)).bytes, 30);
});
