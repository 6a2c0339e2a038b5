import test from 'ava';
import { chunk, dataUri, png, pngOf } from '../../helpers/pictures.ts';
import { errorOf, imagePart, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';

const refused = test.macro({
  exec: async (t, body: unknown, status: number, code: string, message: RegExp) => {
    const { app, waitingEncodes } = await testApi(t);
    const response = await post(app, '/v1/jobs', body);
    t.is(response.statusCode, status, response.body);
    const error = errorOf(response);
    t.is(error.code, code);
    t.regex(error.message, message);
    t.is(error.type, 'invalid_request_error');
    t.deepEqual(await waitingEncodes(), []);
  },
  title: (name) => `refused: ${name}`,
});

const withUrl = (url: string) => ({ messages: [{ role: 'user', content: [imagePart(url)] }] });

test(
  'an unknown model',
  refused,
  { ...question('?'), model: 'nobody' },
  404,
  'model_not_found',
  /"nobody"/,
);
test('no messages', refused, { messages: [] }, 400, 'invalid_value', /^messages: /);
test(
  'messages that are missing',
  refused,
  {},
  400,
  'invalid_value',
  /^messages: expected a value, got nothing/,
);
test(
  'a role that there is not',
  refused,
  { messages: [{ role: 'robot', content: 'x' }] },
  400,
  'invalid_value',
  /^messages\[0\]\.role|^messages\[0\]: /,
);
test(
  'a content of the wrong type, by path, expectation and value',
  refused,
  { messages: [{ role: 'user', content: 5 }] },
  400,
  'invalid_value',
  /^messages\[0\]\.content: expected string or array, got 5$/,
);
test(
  'a number as text',
  refused,
  { ...question('?'), max_tokens: '5' },
  400,
  'invalid_value',
  /^max_tokens: expected integer, got "5"$/,
);
test(
  'a number out of bounds',
  refused,
  { ...question('?'), temperature: -1 },
  400,
  'invalid_value',
  /^temperature: expected >= 0, got -1$/,
);
test(
  'a parameter that there is not',
  refused,
  { ...question('?'), max_tokenz: 5 },
  400,
  'unsupported_parameter',
  /^max_tokenz: expected no such parameter/,
);
test(
  'top_logprobs alone',
  refused,
  { ...question('?'), top_logprobs: 2 },
  400,
  'invalid_value',
  /logprobs/,
);
test(
  'a picture that is no picture',
  refused,
  withUrl(dataUri(Buffer.from('hello'))),
  400,
  'unsupported_image_type',
  /PNG, JPEG/,
);
test(
  'base64 that is none',
  refused,
  withUrl('data:image/png;base64,####'),
  400,
  'invalid_image_data',
  /not base64/,
);
test(
  'a data URI without base64',
  refused,
  withUrl('data:image/png,abc'),
  400,
  'invalid_image_data',
  /data:<media type>;base64/,
);
test(
  'a picture cut off in its header',
  refused,
  withUrl(dataUri(png().subarray(0, 12))),
  400,
  'invalid_image',
  /cut off/,
);
test(
  'too many pixels',
  refused,
  withUrl(dataUri(pngOf(6_000, 6_000, [chunk('IDAT', Buffer.alloc(0))]))),
  400,
  'image_too_many_pixels',
  /6000×6000/,
);
test(
  'too many bytes',
  refused,
  withUrl(dataUri(Buffer.alloc(1_000_001))),
  413,
  'image_too_large',
  /at most 1000000/,
);
test(
  'too many pictures',
  refused,
  question('?', png(), png(), png(), png(), png()),
  400,
  'too_many_images',
  /at most 4/,
);
test(
  'a path on this machine',
  refused,
  withUrl('file:///etc/passwd'),
  400,
  'image_url_not_allowed',
  /file:/,
);
test(
  'a URL that is none',
  refused,
  withUrl('a.png'),
  400,
  'invalid_image_url',
  /expected a data: or https: URL/,
);
test(
  'a URL that nobody answers',
  refused,
  withUrl('http://127.0.0.1:1/a.png'),
  400,
  'image_fetch_failed',
  /ECONNREFUSED/,
);
