import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import type { FastifyInstance } from 'fastify';
import {
  errorOf,
  imagePart,
  jobOf,
  jsonOf,
  post,
  question,
  textPart,
} from '../helpers/requests.ts';
import { dataUri, png } from '../helpers/pictures.ts';
import { testApi } from '../helpers/test-api.ts';

const ADMIN = 'the-admin-key-of-tests';
const as = (key: string) => ({ authorization: `Bearer ${key}` });
const ALICE = as('alice-key-0123456789');
const BOB = as('bob-key-0123456789');

const keyed = (t: ExecutionContext, overrides: Parameters<typeof testApi>[1] = {}) =>
  testApi(t, {
    adminKey: ADMIN,
    apiKeys: ['alice:alice-key-0123456789', 'bob:bob-key-0123456789'],
    ...overrides,
  });

const part = (name: string, value: string) =>
  `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

async function upload(app: FastifyInstance, headers: Record<string, string>, purpose = 'batch') {
  const text = JSON.stringify({ custom_id: 'a', url: '/v1/responses', body: { input: 'x' } });
  return app.inject({
    method: 'POST',
    url: '/v1/files',
    headers: { 'content-type': 'multipart/form-data; boundary=b', ...headers },
    payload: `${part('purpose', purpose)}${part('file"; filename="a', text)}--b--\r\n`,
  });
}

const idOf = (response: Awaited<ReturnType<typeof upload>>) => jsonOf<{ id: string }>(response).id;

test('files of a tenant are bounded in number and bytes, and deleting makes room', async (t) => {
  const { app } = await keyed(t, { tenantFiles: 2 });
  const first = idOf(await upload(app, ALICE));
  await upload(app, ALICE);
  const third = await upload(app, ALICE);
  t.deepEqual([third.statusCode, errorOf(third).code], [403, 'quota_exceeded']);
  t.is((await upload(app, BOB)).statusCode, 200, 'another tenant has its own');
  await app.inject({ method: 'DELETE', url: `/v1/files/${first}`, headers: ALICE });
  t.is((await upload(app, ALICE)).statusCode, 200);
  const settings = { file_bytes: 100, files: 0 };
  const url = '/v1/admin/tenants/bob';
  await app.inject({ method: 'PUT', url, headers: as(ADMIN), payload: settings });
  t.is(errorOf(await upload(app, BOB)).code, 'quota_exceeded', 'set for it');
});

test('a list by purpose reads what it shows, and continues where a file was deleted', async (t) => {
  const { app } = await keyed(t);
  const others: string[] = [];
  for (let n = 0; n < 3; n++) others.push(idOf(await upload(app, ALICE, 'user_data')));
  const batches: string[] = [];
  for (let n = 0; n < 3; n++) batches.push(idOf(await upload(app, ALICE)));
  const list = async (query: string) =>
    app.inject({ url: `/v1/files?order=asc&${query}`, headers: ALICE });
  const ids = (response: Awaited<ReturnType<typeof list>>) =>
    jsonOf<{ data: { id: string }[] }>(response).data.map(({ id }) => id);
  t.deepEqual(ids(await list('purpose=batch')), batches);
  t.deepEqual(ids(await list('purpose=user_data&limit=2')), others.slice(0, 2));
  await app.inject({ method: 'DELETE', url: `/v1/files/${batches[0]}`, headers: ALICE });
  t.deepEqual(ids(await list(`purpose=batch&after=${batches[0]}`)), batches.slice(1));
  t.deepEqual(ids(await list(`limit=1&after=${batches[1]}`)), batches.slice(2));
  const unknown = await list('after=file-nobody');
  t.deepEqual([unknown.statusCode, errorOf(unknown).param], [400, 'after']);
  t.is((await list('purpose=nothing')).statusCode, 400);
});

test('batches at work and jobs of one tenant are bounded, and more urgent than allowed is refused', async (t) => {
  const { app } = await keyed(t, { tenantBatches: 1 });
  const input = idOf(await upload(app, ALICE));
  const body = { input_file_id: input, endpoint: '/v1/responses', completion_window: '1h' };
  t.is((await post(app, '/v1/batches', body, ALICE)).statusCode, 200);
  const second = await post(app, '/v1/batches', body, ALICE);
  t.deepEqual([second.statusCode, errorOf(second).code], [429, 'too_many_batches']);
  t.is(second.headers['retry-after'], '60');
  const urgent = { ...question('?'), priority: -1 };
  const refused = await post(app, '/v1/jobs', urgent, ALICE);
  t.deepEqual([refused.statusCode, errorOf(refused).param], [400, 'priority']);
  t.is((await post(app, '/v1/jobs', urgent, as(ADMIN))).statusCode, 202);
  const settings = { min_priority: 10 };
  const url = '/v1/admin/tenants/bob';
  await app.inject({ method: 'PUT', url, headers: as(ADMIN), payload: settings });
  t.is(jobOf(await post(app, '/v1/jobs', question('?'), BOB)).priority, 10);
});

test('a key bounds how urgent the requests with it may be, whatever its tenant may', async (t) => {
  const { app } = await keyed(t);
  const make = async (minPriority?: number) => {
    const body = { tenant: 'alice', min_priority: minPriority };
    const made = await post(app, '/v1/admin/keys', body, as(ADMIN));
    t.is(jsonOf<{ min_priority?: number }>(made).min_priority, minPriority);
    return as(jsonOf<{ key: string }>(made).key);
  };
  const [patient, plain, urgent] = [await make(20), await make(), await make(-5)];
  const ask = (headers: Record<string, string>, priority?: number) =>
    post(app, '/v1/jobs', { ...question('?'), priority }, headers);
  t.is(jobOf(await ask(patient)).priority, 20);
  for (const [headers, priority] of [
    [patient, 19],
    [plain, -1],
    [urgent, -6],
  ] as const) {
    const refused = await ask(headers, priority);
    t.deepEqual([refused.statusCode, errorOf(refused).param], [400, 'priority']);
  }
  t.is(jobOf(await ask(urgent, -5)).priority, -5);
  const wrong = await post(app, '/v1/admin/keys', { tenant: 'a', min_priority: 1000 }, as(ADMIN));
  t.deepEqual([wrong.statusCode, errorOf(wrong).param], [400, 'min_priority']);
});

test('open requests of a tenant are bounded, event streams included, and others come through', async (t) => {
  const { app } = await keyed(t, { tenantOpenRequests: 2 });
  const { id } = jobOf(await post(app, '/v1/jobs', question('?'), ALICE));
  const base = await app.listen({ host: '127.0.0.1', port: 0 });
  const events = async (headers: Record<string, string>) => {
    const stop = new AbortController();
    t.teardown(() => stop.abort());
    // Kept: a response that nobody holds any more is collected, and its connection closed.
    const response = await fetch(`${base}/v1/jobs/${id}/events`, { headers, signal: stop.signal });
    return { response, status: response.status, stop };
  };
  const open = [await events(ALICE), await events(ALICE)];
  t.deepEqual(
    open.map(({ status }) => status),
    [200, 200],
  );
  t.is((await events(ALICE)).status, 429);
  t.is((await fetch(`${base}/v1/jobs`, { headers: BOB })).status, 200);
  t.is(open[1]?.response.bodyUsed, false);
  open[0]?.stop.abort();
  const again = async () => (await fetch(`${base}/v1/jobs`, { headers: ALICE })).status === 200;
  await t.notThrowsAsync(eventually(again, { withinMs: 20_000 }));
});

test('the operator asks on its own behalf, whatever a tenant is called', async (t) => {
  const { app } = await testApi(t, { adminKey: ADMIN, apiKeys: ['local:a-key-of-local-0001'] });
  const { id } = jobOf(await post(app, '/v1/jobs', question('?'), as(ADMIN)));
  const seen = await app.inject({ url: `/v1/jobs/${id}`, headers: as('a-key-of-local-0001') });
  t.is(seen.statusCode, 404);
  t.is((await app.inject({ url: `/v1/jobs/${id}`, headers: as(ADMIN) })).statusCode, 200);
  const admin = await post(app, '/v1/admin/keys', { tenant: '_admin' }, as(ADMIN));
  t.is(admin.statusCode, 400);
});

test('webhooks of a tenant go to the hosts that are named for it, and not to those of others', async (t) => {
  const { app } = await keyed(t, {
    webhookSecret: 'a-secret-of-the-tests',
    webhookHosts: ['hooks.example'],
    fetchHttp: false,
  });
  const url = '/v1/admin/tenants/bob';
  const payload = { webhook_hosts: ['bob.example'] };
  await app.inject({ method: 'PUT', url, headers: as(ADMIN), payload });
  const hook = async (headers: Record<string, string>, host: string) =>
    (
      await post(
        app,
        '/v1/jobs',
        { ...question('?'), webhook: { url: `https://${host}/` } },
        headers,
      )
    ).statusCode;
  t.is(await hook(ALICE, 'hooks.example'), 202);
  t.is(await hook(ALICE, 'bob.example'), 400);
  t.is(await hook(BOB, 'bob.example'), 202);
  t.is(await hook(BOB, 'hooks.example'), 400);
});

/** A server of pictures that are not there; counts who asks. */
async function countingServer(
  t: ExecutionContext,
): Promise<{ url: string; fetches: () => number }> {
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches += 1;
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/a.png`, fetches: () => fetches };
}

test('a picture is not fetched for a job that would be refused', async (t) => {
  const { app } = await keyed(t, { tenantWaitingCost: 100, defaultMaxTokens: 64 });
  const { url, fetches } = await countingServer(t);
  const content = [imagePart(url), textPart('?')];
  const asked = () => post(app, '/v1/jobs', { messages: [{ role: 'user', content }] }, ALICE);
  t.is(errorOf(await asked()).code, 'image_fetch_failed');
  t.is(fetches(), 1);
  t.is((await post(app, '/v1/jobs', question('?'), ALICE)).statusCode, 202);
  t.is(errorOf(await asked()).code, 'too_much_waiting');
  t.is(fetches(), 1);
});

test('nor for a job that the limit of tokens a minute refuses, and looking takes none of them', async (t) => {
  const { app } = await keyed(t, { tokensPerMinute: 100, defaultMaxTokens: 64 });
  const { url, fetches } = await countingServer(t);
  const content = [imagePart(url), textPart('?')];
  const asked = () => post(app, '/v1/jobs', { messages: [{ role: 'user', content }] }, ALICE);
  t.is(errorOf(await asked()).code, 'image_fetch_failed');
  t.is(errorOf(await asked()).code, 'image_fetch_failed');
  t.is(fetches(), 2);
  t.is((await post(app, '/v1/jobs', question('?'), ALICE)).statusCode, 202);
  const refused = await asked();
  t.is(errorOf(refused).code, 'rate_limited');
  t.true(Number(refused.headers['retry-after']) >= 1);
  t.is(fetches(), 2);
});

test('pictures that are embedded or searched with are bound as jobs are, and cost nothing that fails', async (t) => {
  const limits = { tenantWaitingCost: 100, tokensPerMinute: 10_000, defaultMaxTokens: 99 };
  const { app, services } = await keyed(t, { ...limits, index: true });
  const { url, fetches } = await countingServer(t);
  const embed = (image: string) => post(app, '/v1/embeddings', { input: { image } }, ALICE);
  t.is(errorOf(await embed(url)).code, 'image_fetch_failed');
  t.is(errorOf(await embed(dataUri(png(1, 1_000_000)))).param, 'input');
  t.is((await services.limiter.look('alice', 'tokens', 10_000, 1)).remaining, 9_999);
  t.is((await post(app, '/v1/jobs', question('?'), ALICE)).statusCode, 202);
  t.is(errorOf(await embed(url)).code, 'too_much_waiting');
  const found = await post(app, '/v1/images/search', { image: { url, file_id: null } }, ALICE);
  t.is(errorOf(found).code, 'invalid_value', 'null inside of a value keeps its meaning');
  const search = await post(app, '/v1/images/search', { image: url, limit: null }, ALICE);
  t.is(errorOf(search).code, 'too_much_waiting');
  t.is(fetches(), 1);
});
