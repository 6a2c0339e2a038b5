import { encodeQueueName } from '@epd/connector';
import test from 'ava';
import { Queue } from 'bullmq';
import { png } from '../helpers/pictures.ts';
import { errorOf, jobOf, post, question } from '../helpers/requests.ts';
import { testApi } from '../helpers/test-api.ts';

test('the same Idempotency-Key and body are the same job, and hold nothing twice', async (t) => {
  const { app, redis, prefix } = await testApi(t);
  const headers = { 'idempotency-key': 'order-1' };
  const first = await post(app, '/v1/jobs', question('?', png()), headers);
  const again = await post(app, '/v1/jobs', question('?', png()), headers);
  t.is(jobOf(again).id, jobOf(first).id);
  t.is(again.headers['idempotency-replayed'], 'true');
  await app.inject({ method: 'POST', url: `/v1/jobs/${jobOf(first).id}/cancel` });
  const queue = new Queue(encodeQueueName('tiny-vlm'), { connection: redis, prefix });
  t.is(await queue.count(), 0);
  await queue.close();
});

test('a repetition finds its job although its picture and the room for it are gone', async (t) => {
  const { app, inputs, services } = await testApi(t, { maxWaitingCost: 100 });
  const picture = { filename: 'a.png', purpose: 'vision', bytes: png() } as const;
  const file = await services.files.add({ ...picture, tenant: 'local', expiresAfterS: null });
  const content = [{ type: 'image_url', image_url: { file_id: file.id } }];
  const body = { messages: [{ role: 'user', content }], max_tokens: 99 };
  const headers = { 'idempotency-key': 'order-1' };
  const first = await post(app, '/v1/jobs', body, headers);
  t.is(first.statusCode, 202, first.body);
  for await (const { key } of inputs.list('inputs/')) await inputs.delete(key);
  const again = await post(app, '/v1/jobs', body, headers);
  t.is(jobOf(again).id, jobOf(first).id, again.body);
});

test('the same Idempotency-Key with another body is 422', async (t) => {
  const { app } = await testApi(t);
  const headers = { 'idempotency-key': 'order-1' };
  await post(app, '/v1/jobs', question('a'), headers);
  const response = await post(app, '/v1/jobs', question('b'), headers);
  t.is(response.statusCode, 422);
  t.is(errorOf(response).code, 'idempotency_conflict');
});

test('an Idempotency-Key that is none is refused', async (t) => {
  const { app } = await testApi(t);
  const response = await post(app, '/v1/jobs', question('a'), { 'idempotency-key': 'with space' });
  t.is(errorOf(response).code, 'invalid_header');
});
