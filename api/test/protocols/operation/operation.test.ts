import { eventually } from '@epd/service/testing';
import test from 'ava';
import { errorOf, jsonOf, post } from '../../helpers/requests.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, { post?: unknown }>;
}

/** A probe that finds a busy process is answered 503, and asks again. */
const becomesReady = ({ app }: Pick<TestApi, 'app'>) =>
  eventually(async () => {
    const ready = await app.inject('/readyz');
    return ready.statusCode === 200 ? ready : null;
  });

test('the models are listed in the shape of OpenAI, with the workers that are there', async (t) => {
  const { app } = await testApi(t);
  const list = jsonOf<{ data: { workers: unknown }[] }>(await app.inject('/v1/models'));
  t.like(list, {
    object: 'list',
    data: [{ id: 'tiny-vlm', object: 'model', created: 1_700_000_000 }],
  });
  t.deepEqual(list.data[0]?.workers, { encoder: 0, prefill_decode: 0 });
  t.is(jsonOf<{ id: string }>(await app.inject('/v1/models/tiny-vlm')).id, 'tiny-vlm');
  t.is((await app.inject('/v1/models/nobody')).statusCode, 404);
});

test('healthz says that the process lives, readyz how its dependencies are', async (t) => {
  const { app } = await testApi(t);
  t.deepEqual(jsonOf(await app.inject('/healthz')), { status: 'ok' });
  const ready = await becomesReady({ app });
  t.like(jsonOf(ready), { ready: true, redis: 'ok', store: 'ok' });
});

test('readyz is 503 after Redis has lost its data, until a worker has registered again', async (t) => {
  const { app, redis, prefix, services } = await testApi(t);
  const card = await redis.hgetall(`${prefix}:models`);
  services.models.expectAgain();
  await becomesReady({ app });
  services.models.expectAgain();
  await redis.del(`${prefix}:models`);
  const ready = await app.inject('/readyz');
  t.is(ready.statusCode, 503);
  t.like(jsonOf(ready), { ready: false, redis: 'lost its data' });
  for (const model of [{}, { model: 'named' }]) {
    const refused = await post(app, '/v1/jobs', {
      ...model,
      messages: [{ role: 'user', content: 'x' }],
    });
    t.is(refused.statusCode, 503);
    t.is(refused.headers['retry-after'], '3');
  }
  await redis.hset(`${prefix}:models`, card);
  t.truthy(await becomesReady({ app }));
});

test('readyz is 503 and requests are answered 503 while Redis is down', async (t) => {
  const { app, redis } = await testApi(t);
  redis.disconnect();
  const ready = await app.inject('/readyz');
  t.is(ready.statusCode, 503);
  t.like(jsonOf(ready), { ready: false, redis: 'unavailable', store: 'ok' });
  const models = await app.inject('/v1/models');
  t.is(models.statusCode, 503);
  t.is(errorOf(models).code, 'unavailable');
  t.is(models.headers['retry-after'], '1');
});

for (const refusal of [
  "OOM command not allowed when used memory > 'maxmemory'.",
  "ERR Error running script (call to f_1): @user_script:8: -OOM command not allowed when used memory > 'maxmemory'.",
  'EXECABORT Transaction discarded because of previous errors.',
  "READONLY You can't write against a read only replica.",
  'NOREPLICAS Not enough good replicas to write.',
  'CLUSTERDOWN The cluster is down',
]) {
  test(`what Redis takes no writes for is answered 503: ${refusal.slice(0, 40)}`, async (t) => {
    const { app, redis } = await testApi(t);
    const refuse = `return redis.error_reply(${JSON.stringify(refusal)})`;
    Object.assign(redis, { modelCards: () => redis.eval(refuse, 0) });
    const models = await app.inject('/v1/models');
    t.is(models.statusCode, 503);
    t.is(errorOf(models).code, 'unavailable');
  });
}

test('the description is served as JSON and as a page that asks no other host', async (t) => {
  const { app } = await testApi(t);
  const description = jsonOf<OpenApi>(await app.inject('/openapi.json'));
  t.is(description.openapi, '3.1.0');
  t.truthy(description.paths['/v1/jobs']?.post);
  t.deepEqual(jsonOf(await app.inject('/docs/json')), description);
  const page = await app.inject('/docs/');
  t.is(page.statusCode, 200);
  t.notRegex(page.body, /<script[^>]+src="https?:/);
});

test('metrics are served in the text format of Prometheus', async (t) => {
  const { app } = await testApi(t);
  const response = await app.inject('/metrics');
  t.is(response.statusCode, 200);
  t.regex(String(response.headers['content-type']), /text\/plain/);
});

test('refusals are counted by the codes that their bodies have', async (t) => {
  const { app, services } = await testApi(t);
  services.models.models = () => Promise.reject(new RangeError('a defect'));
  t.is((await app.inject('/v1/models')).statusCode, 500);
  const body = {
    method: 'POST',
    url: '/v1/jobs',
    headers: { 'content-type': 'application/json' },
  } as const;
  t.is((await app.inject({ ...body, payload: '{"cut' })).statusCode, 400);
  t.is((await app.inject({ ...body, payload: '{"messages":1}' })).statusCode, 400);
  const counted = /^epd_(http|jobs)_refused_total\{(?:code|reason)="(\w+)"\} (\d+)$/gm;
  const { body: text } = await app.inject('/metrics');
  t.deepEqual(Array.from(text.matchAll(counted), ([, ...parts]) => parts.join(' ')).toSorted(), [
    'http internal_error 1',
    'http invalid_json 1',
    'http invalid_value 1',
    'jobs invalid_json 1',
    'jobs invalid_value 1',
  ]);
});
