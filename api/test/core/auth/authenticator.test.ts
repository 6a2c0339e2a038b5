import test from 'ava';
import { png } from '../../helpers/pictures.ts';
import { errorOf, jobOf, jsonOf, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';

const ADMIN = 'the-admin-key-of-tests';
const KEYS = ['alice:alice-key-0123456789', 'bob:bob-key-0123456789'];
const as = (key: string) => ({ authorization: `Bearer ${key}` });
const ALICE = as('alice-key-0123456789');
const BOB = as('bob-key-0123456789');

test('with keys set, a request without one or with an unknown one is 401', async (t) => {
  const { app } = await testApi(t, { apiKeys: KEYS });
  const without = await post(app, '/v1/jobs', question('?'));
  const unknown = await post(app, '/v1/jobs', question('?'), as('nobody'));
  t.deepEqual([without.statusCode, errorOf(without).code], [401, 'missing_api_key']);
  t.deepEqual([unknown.statusCode, errorOf(unknown).code], [401, 'invalid_api_key']);
  const pair = await post(app, '/v1/jobs', question('?'), as(KEYS[0] ?? ''));
  t.regex(errorOf(pair).message, /of tenant:key only the key is sent/);
  t.is(unknown.headers['www-authenticate'], 'Bearer');
  t.is(errorOf(unknown).type, 'authentication_error');
});

test('health, readiness, metrics and the documentation need no key', async (t) => {
  const { app } = await testApi(t, { apiKeys: KEYS });
  for (const url of ['/healthz', '/readyz', '/metrics', '/docs/', '/openapi.json']) {
    t.is((await app.inject(url)).statusCode, 200, url);
  }
  t.is((await app.inject('/v1/nothing')).statusCode, 404);
});

test('a tenant sees, follows, cancels and deletes its own jobs only', async (t) => {
  const { app } = await testApi(t, { apiKeys: KEYS });
  const { id } = jobOf(await post(app, '/v1/jobs', question('?'), ALICE));
  const status = async (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    headers: Record<string, string>,
  ) => (await app.inject({ method, url, headers })).statusCode;
  t.is(await status('GET', `/v1/jobs/${id}`, ALICE), 200);
  t.is(await status('GET', `/v1/jobs/${id}`, BOB), 404);
  t.is(await status('GET', `/v1/jobs/${id}/events`, BOB), 404);
  t.is(await status('GET', `/v1/responses/${id.replace('job_', 'resp_')}`, BOB), 404);
  t.is(await status('POST', `/v1/jobs/${id}/cancel`, BOB), 404);
  t.is(await status('DELETE', `/v1/jobs/${id}`, BOB), 404);
  const list = async (headers: Record<string, string>) =>
    jsonOf<{ data: unknown[] }>(await app.inject({ url: '/v1/jobs', headers })).data.length;
  t.deepEqual([await list(ALICE), await list(BOB)], [1, 0]);
});

test('tenants share no embedding of the same picture unless they say that they do', async (t) => {
  const { app, jobs } = await testApi(t, { apiKeys: KEYS, adminKey: ADMIN });
  const hashOf = async (headers: Record<string, string>) => {
    const { id } = jobOf(await post(app, '/v1/jobs', question('?', png()), headers));
    return (await jobs.get(id))?.request.images[0]?.mmHash;
  };
  const [alice, bob] = [await hashOf(ALICE), await hashOf(BOB)];
  t.not(alice, bob);
  t.is(await hashOf(ALICE), alice);
  for (const tenant of ['carol', 'dave']) {
    const settings = { share_embeddings: true };
    const url = `/v1/admin/tenants/${tenant}`;
    t.is(
      (await app.inject({ method: 'PUT', url, headers: as(ADMIN), payload: settings })).statusCode,
      200,
    );
  }
  const [carol, dave] = [await keyFor('carol'), await keyFor('dave')];
  t.is(await hashOf(as(carol)), await hashOf(as(dave)));

  async function keyFor(tenant: string): Promise<string> {
    return jsonOf<{ key: string }>(await post(app, '/v1/admin/keys', { tenant }, as(ADMIN))).key;
  }
});

test('a key can be made, used, listed without being shown, and revoked', async (t) => {
  const { app, redis, prefix } = await testApi(t, { adminKey: ADMIN });
  const made = jsonOf<{ id: string; key: string }>(
    await post(app, '/v1/admin/keys', { tenant: 'carol', name: 'laptop' }, as(ADMIN)),
  );
  t.is((await post(app, '/v1/jobs', question('?'), as(made.key))).statusCode, 202);
  const list = await app.inject({ url: '/v1/admin/keys', headers: as(ADMIN) });
  t.like(jsonOf(list), { data: [{ id: made.id, tenant: 'carol', name: 'laptop' }] });
  t.false(list.body.includes(made.key));
  t.false(JSON.stringify(await redis.hgetall(`${prefix}:api-keys`)).includes(made.key));
  const url = `/v1/admin/keys/${made.id}`;
  t.is((await app.inject({ method: 'DELETE', url, headers: as(ADMIN) })).statusCode, 200);
  t.is((await post(app, '/v1/jobs', question('?'), as(made.key))).statusCode, 401);
});

test('the admin routes are closed to everybody else, and where there is no admin key', async (t) => {
  const keyed = await testApi(t, { apiKeys: KEYS, adminKey: ADMIN });
  const open = await testApi(t);
  const statuses = await Promise.all([
    keyed.app.inject({ url: '/v1/admin/keys', headers: ALICE }),
    keyed.app.inject({ url: '/v1/admin/keys' }),
    open.app.inject({ url: '/v1/admin/keys', headers: as(ADMIN) }),
  ]);
  t.deepEqual(
    statuses.map(({ statusCode }) => statusCode),
    [403, 401, 403],
  );
});

test('without keys a request under a foreign host name is refused: a page of the web is not asking', async (t) => {
  const { app } = await testApi(t);
  const under = async (host: string) =>
    (await app.inject({ url: '/v1/jobs', headers: { host } })).statusCode;
  t.deepEqual(
    await Promise.all(
      ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'evil.example', '10.0.0.1'].map(under),
    ),
    [200, 200, 200, 403, 403],
  );
});
