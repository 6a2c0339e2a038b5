import test from 'ava';
import { jsonOf, post, question } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';

const ADMIN = 'the-admin-key-of-tests';
const password = { authorization: `Basic ${Buffer.from(`admin:${ADMIN}`).toString('base64')}` };

test('the queue board shows the queues to the admin key alone', async (t) => {
  const { app } = await testApi(t, { adminKey: ADMIN });
  await post(app, '/v1/jobs', question('?'), password);
  const closed = await app.inject('/admin/queues');
  t.is(closed.statusCode, 401);
  t.regex(String(closed.headers['www-authenticate']), /Basic/);
  const page = await app.inject({ url: '/admin/queues', headers: password });
  t.is(page.statusCode, 200);
  const { queues } = jsonOf<{ queues: { name: string; readOnlyMode: boolean }[] }>(
    await app.inject({ url: '/admin/queues/api/queues', headers: password }),
  );
  t.deepEqual(queues.map(({ name }) => name).toSorted(), [
    'encode-tiny-vlm',
    'generate-tiny-vlm',
    'webhooks',
  ]);
  t.true(queues.every(({ readOnlyMode }) => readOnlyMode));
});

test('a connection in trouble is not told on the console by the queues on show', async (t) => {
  const { app, redis } = await testApi(t, { adminKey: ADMIN });
  await app.inject({ url: '/admin/queues', headers: password });
  const { error } = console;
  const written: unknown[] = [];
  console.error = (...what) => void written.push(what);
  t.teardown(() => (console.error = error));
  redis.on('error', () => undefined);
  redis.emit('error', new Error('cut'));
  t.deepEqual(written, []);
});

test('without an admin key there is no queue board', async (t) => {
  const { app } = await testApi(t);
  t.is((await app.inject('/admin/queues')).statusCode, 404);
});
