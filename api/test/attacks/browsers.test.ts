import test from 'ava';
import type { FastifyInstance } from 'fastify';
import { errorOf, question } from '../helpers/requests.ts';
import { testApi } from '../helpers/test-api.ts';

const KEY = 'a-key-of-the-tests-0001';
const ADMIN = 'the-admin-key-of-tests';
const UPLOAD =
  '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n' +
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n{}\r\n--b--\r\n';

type Headers = Record<string, string>;

/** What a form or a script of a page can send without asking anybody. */
const upload = async (app: FastifyInstance, headers: Headers) =>
  app.inject({
    method: 'POST',
    url: '/v1/files',
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
    payload: UPLOAD,
  });

test('an upload that a page of another site sends is refused, with a cached password, too', async (t) => {
  const keyless = await testApi(t);
  const keyed = await testApi(t, { adminKey: ADMIN });
  const password = Buffer.from(`:${ADMIN}`).toString('base64');
  const cached = { authorization: `Basic ${password}` };
  const refused = [
    await upload(keyless.app, { origin: 'https://evil.example' }),
    await upload(keyless.app, { origin: 'null' }),
    await upload(keyless.app, { 'sec-fetch-site': 'cross-site' }),
    await upload(keyless.app, { origin: 'http://localhost:3000', host: 'localhost:8080' }),
    await upload(keyed.app, { origin: 'https://evil.example', ...cached }),
  ];
  for (const response of refused) {
    t.is(response.statusCode, 403, response.body);
    t.is(errorOf(response).code, 'origin_not_allowed');
  }
  t.is((await upload(keyed.app, cached)).statusCode, 200);
});

test('the own page, pages of a public host or of an origin that is allowed, and programs are not refused', async (t) => {
  const { app } = await testApi(t, {
    publicHosts: ['epd.example.com'],
    corsOrigins: ['https://app.example.org'],
  });
  const heads: Headers[] = [
    {},
    { host: 'localhost:8080', origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' },
    { host: 'epd.example.com', origin: 'https://epd.example.com' },
    { host: 'epd.example.com:443', origin: 'https://epd.example.com' },
    { host: '127.0.0.1:8080', origin: 'https://epd.example.com' }, // behind a proxy
    { origin: 'https://app.example.org', 'sec-fetch-site': 'cross-site' },
  ];
  for (const head of heads) {
    const response = await upload(app, head);
    t.is(response.statusCode, 200, `${JSON.stringify(head)} ${response.body}`);
  }
});

test('every route that changes something refuses a page of another site before it reads the body', async (t) => {
  const { app } = await testApi(t, { adminKey: ADMIN, apiKeys: [`alice:${KEY}`] });
  const headers = { origin: 'https://evil.example', authorization: `Bearer ${ADMIN}` };
  const urls = ['/v1/jobs', '/v1/chat/completions', '/v1/responses', '/v1/batches', '/v1/uploads'];
  const changes = [...urls, '/v1/admin/keys', '/v1/jobs/x/cancel'].map(
    (url) => ['POST', url] as const,
  );
  for (const [method, url] of [
    ...changes,
    ['PUT', '/v1/admin/tenants/a'] as const,
    ['DELETE', '/v1/jobs/x'] as const,
    ['DELETE', '/v1/files/x'] as const,
  ]) {
    const payload = { ...question('?'), a: 1 };
    const response = await app.inject({ method, url, headers, payload });
    t.is(errorOf(response).code, 'origin_not_allowed', `${method} ${url}`);
  }
});

test('a name that is not ours, and leads here all the same, is refused in every mode', async (t) => {
  const modes = {
    keyless: await testApi(t, { publicHosts: ['epd.example.com'] }),
    open: await testApi(t, { open: true, publicHosts: ['epd.example.com'] }),
    keyed: await testApi(t, { apiKeys: [`alice:${KEY}`], publicHosts: ['epd.example.com'] }),
  };
  const headers = { authorization: `Bearer ${KEY}` };
  const ask = async ({ app }: { app: FastifyInstance }, host: string) =>
    (await app.inject({ url: '/v1/jobs', headers: { ...headers, host } })).statusCode;
  for (const [mode, api] of Object.entries(modes)) {
    t.is(await ask(api, 'evil.example'), 403, mode);
    t.is(await ask(api, 'evil.example:8080'), 403, mode);
    t.is(await ask(api, 'EPD.example.com'), 200, mode);
    t.is(await ask(api, 'localhost:8080'), 200, mode);
  }
  for (const host of ['10.0.0.1:8080', '[fd00::1]', 'api', 'fleet-api.epd.svc']) {
    t.is(await ask(modes.keyed, host), 200, host);
    t.is(await ask(modes.open, host), 200, host);
    t.is(await ask(modes.keyless, host), 403, host);
  }
  // A load balancer asks by address, and a probe changes nothing.
  const health = { url: '/healthz', headers: { host: 'evil.example' } };
  t.is((await modes.keyed.app.inject(health)).statusCode, 200);
});
