import { RedisModelRegistry } from '@epd/fleet';
import test from 'ava';
import { errorOf } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';

const ADMIN = 'the-admin-key-of-tests';
const headers = { authorization: `Bearer ${ADMIN}` };
const PATH = `/v1/admin/models/${TEST_CARD.id}`;

test('an operator sees the revisions of a model and moves its name', async (t) => {
  const { app, redis, prefix } = await testApi(t, { adminKey: ADMIN });
  const registry = new RedisModelRegistry(redis, prefix);
  for (const revision of ['old', 'new']) {
    const card = { ...TEST_CARD, revision };
    const worker = await registry.announce('prefill-decode', `of-${revision}`, card);
    t.teardown(() => worker.stop());
  }
  const list = await app.inject({ url: `${PATH}/revisions`, headers });
  t.is(list.statusCode, 200, list.body);
  t.like(list.json(), {
    data: [
      { revision: 'old', prefill_decode: 1, serving: true, pinned: false },
      { revision: 'new', prefill_decode: 1, serving: false, pinned: false },
    ],
  });
  const move = (revision: string | null) =>
    app.inject({ method: 'PUT', url: `${PATH}/revision`, headers, payload: { revision } });
  t.like((await move('new')).json(), { data: [{ revision: 'new', serving: true, pinned: true }] });
  t.is(
    (await app.inject({ url: `/v1/models/${TEST_CARD.id}`, headers })).json<{ revision: string }>()
      .revision,
    'new',
  );
  const wrong = await move('newest');
  t.is(wrong.statusCode, 400);
  t.regex(errorOf(wrong).message, /^revision: expected one of \["new","old"\].*got "newest"$/);
  t.like((await move(null)).json(), { data: [{ revision: 'new', pinned: false }] });
});

test('a model whose name holds a slash is found, written as it is or encoded', async (t) => {
  const card = { ...TEST_CARD, id: 'owner/name', revision: 'r' };
  const { app, redis, prefix } = await testApi(t, { adminKey: ADMIN }, [card]);
  const worker = await new RedisModelRegistry(redis, prefix).announce('prefill-decode', 'w', card);
  t.teardown(() => worker.stop());
  for (const name of ['owner/name', 'owner%2Fname']) {
    const path = `/v1/admin/models/${name}`;
    const list = await app.inject({ url: `${path}/revisions`, headers });
    t.like(list.json(), { data: [{ revision: 'r', prefill_decode: 1 }] }, name);
    const put = { method: 'PUT', url: `${path}/revision`, headers } as const;
    const moved = await app.inject({ ...put, payload: { revision: 'r' } });
    t.like(moved.json(), { data: [{ revision: 'r', pinned: true }] }, name);
  }
});
