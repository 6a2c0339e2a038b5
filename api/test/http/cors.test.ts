import test from 'ava';
import { question } from '../helpers/requests.ts';
import { testApi } from '../helpers/test-api.ts';

const ORIGIN = 'https://app.example.org';
const KEYS = { apiKeys: ['alice:a-key-of-the-tests-0001'], corsOrigins: [ORIGIN] };

test('a browser that asks before it calls is answered without a key', async (t) => {
  const { app } = await testApi(t, KEYS);
  const response = await app.inject({
    method: 'OPTIONS',
    url: '/v1/chat/completions',
    headers: {
      origin: ORIGIN,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type,x-stainless-os',
    },
  });
  t.is(response.statusCode, 204);
  t.is(response.headers['access-control-allow-origin'], ORIGIN);
  t.regex(String(response.headers['access-control-allow-headers']), /x-stainless-os/);
});

test('answers, refusals too, may be read by the page, and a call needs its key as ever', async (t) => {
  const { app } = await testApi(t, KEYS);
  const response = await app.inject({
    method: 'POST',
    url: '/v1/chat/completions',
    headers: { origin: ORIGIN },
    payload: question('hello'),
  });
  t.is(response.statusCode, 401);
  t.is(response.headers['access-control-allow-origin'], ORIGIN);
  t.regex(String(response.headers['access-control-expose-headers']), /x-request-id/);
});

test('pages of other origins get no leave, and without the setting nobody does', async (t) => {
  const preflight = {
    method: 'OPTIONS',
    url: '/v1/models',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
  } as const;
  for (const origins of [KEYS, { apiKeys: KEYS.apiKeys }]) {
    const { app } = await testApi(t, origins);
    t.is((await app.inject(preflight)).headers['access-control-allow-origin'], undefined);
  }
});
