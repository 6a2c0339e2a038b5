import { RedisModelRegistry } from '@epd/fleet';
import { DAMAGED_ENDING } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { dataUri, png } from '../../helpers/pictures.ts';
import {
  errorOf,
  imagePart,
  jobOf,
  jsonOf,
  post,
  question,
  textPart,
} from '../../helpers/requests.ts';
import { readSse } from '../../helpers/sse-client.ts';
import { testApi } from '../../helpers/test-api.ts';
import { TEST_CARD } from '../../helpers/test-card.ts';
import { answer, say, claimJob } from '../../helpers/worker.ts';

test('a submission is answered 202 with a durable job and where to find it', async (t) => {
  const { app, jobs } = await testApi(t);
  const response = await post(app, '/v1/jobs', {
    ...question('Hello?'),
    metadata: { mine: 'yes' },
  });
  const job = jobOf(response);
  t.is(response.statusCode, 202, response.body);
  t.is(response.headers.location, `/v1/jobs/${job.id}`);
  t.like(job, {
    object: 'job',
    status: 'queued',
    stage: 'queued',
    model: 'tiny-vlm',
    output: null,
    usage: null,
    error: null,
    metadata: { mine: 'yes' },
    links: { self: `/v1/jobs/${job.id}`, events: `/v1/jobs/${job.id}/events` },
  });
  t.is((await jobs.get(job.id))?.status, 'queued');
});

test('a finished job shows its answer, its usage and its times in snake case', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('What?', png())));
  await answer(jobs, id, { pieces: ['red', ' square'] });
  const job = jobOf(await app.inject(`/v1/jobs/${id}`));
  t.like(job, {
    status: 'completed',
    status_detail: null,
    output: { text: 'red square', finish_reason: 'stop' },
    usage: { prompt_tokens: 20, completion_tokens: 2, total_tokens: 22, image_tokens: 16 },
    timings: { queue_ms: 1, prefill_ms: 2, ttft_ms: 3, total_ms: 4 },
  });
  t.is(job.output?.token_ids, undefined);
  t.true((job.timings.accept_ms ?? -1) >= 0);
});

test('return_token_ids adds the ids, n adds the other answers', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(
    await post(app, '/v1/jobs', { ...question('?'), return_token_ids: true, n: 2 }),
  );
  await answer(jobs, id, { pieces: ['a', 'b'] });
  const { output, outputs } = jobOf(await app.inject(`/v1/jobs/${id}`));
  t.deepEqual(output, { text: 'ab', finish_reason: 'stop', token_ids: [0, 1] });
  t.is(outputs?.length, 2);
});

test('a job that was given up for its damaged record is shown as failed, alone and in the list', async (t) => {
  const { app, jobs, redis, prefix } = await testApi(t);
  const waiting = post(app, '/v1/jobs', question('?'), { prefer: 'wait=30' });
  const id = await eventually(async () => {
    const { jobs: live } = await jobs.list({ tenant: 'local', limit: 1, order: 'asc' });
    return live[0]?.id;
  });
  // In this order: who reads a damaged record that nobody has given up yet finds an error.
  await jobs.finish(id, DAMAGED_ENDING);
  await redis.hset(`${prefix}:job:${id}`, 'request', '{"cut');
  const failed = { id, status: 'failed', error: { code: 'record_unreadable' } };
  t.like(jobOf(await waiting), failed);
  t.like(jobOf(await app.inject(`/v1/jobs/${id}`)), failed);
  const { data } = jsonOf<{ data: object[] }>(await app.inject('/v1/jobs'));
  t.like(data[0], failed);
  const events = readSse((await app.inject(`/v1/jobs/${id}/events`)).body);
  t.like(events.at(-1), { event: 'end', data: { status: 'failed' } });
});

test('a job in progress shows what it has written so far', async (t) => {
  const { app, jobs } = await testApi(t);
  const { id } = jobOf(await post(app, '/v1/jobs', question('?')));
  const claim = await claimJob(jobs, id);
  await say(jobs, claim, 'so far', 0);
  const job = jobOf(await app.inject(`/v1/jobs/${id}`));
  t.like(job, { status: 'in_progress', output: { text: 'so far', finish_reason: null } });
});

test('a job says that it waits because no worker of a kind runs', async (t) => {
  const { app } = await testApi(t);
  const withPicture = jobOf(await post(app, '/v1/jobs', question('What?', png())));
  const textOnly = jobOf(await post(app, '/v1/jobs', question('What?')));
  t.is(withPicture.status_detail, 'waiting for an encoder: none is running for model tiny-vlm');
  t.is(
    textOnly.status_detail,
    'waiting for a prefill/decode worker: none is running for model tiny-vlm',
  );
});

test('a picture is stored once under its digest and asked for once, however often it is named', async (t) => {
  const { app, jobs, inputs, waitingEncodes } = await testApi(t);
  const [one, two] = [png(8, 6, 1), png(8, 6, 2)];
  const { id } = jobOf(await post(app, '/v1/jobs', question('Same?', one, two, one)));
  const request = (await jobs.get(id))?.request;
  t.is(request?.images.length, 2);
  t.is((await waitingEncodes()).length, 2);
  const content = request?.messages[0]?.content;
  t.deepEqual(
    Array.isArray(content)
      ? content.map((part) => (part.type === 'image' ? part.image : part.text))
      : [],
    [0, 1, 0, 'Same?'],
  );
  const stored = await inputs.get(request?.images[0]?.input.key ?? '');
  t.deepEqual(Buffer.from(stored ?? []), one);
  t.like(request?.images[0]?.input, {
    mediaType: 'image/png',
    width: 8,
    height: 6,
    bytes: one.length,
  });
});

test('what the caller leaves out gets a default, the seed a random one', async (t) => {
  const { app, jobs } = await testApi(t);
  const ids = [question('?'), question('?')].map(
    async (body) => jobOf(await post(app, '/v1/jobs', body)).id,
  );
  const [a, b] = await Promise.all(
    ids.map(async (id) => (await jobs.get(await id))?.request.sampling),
  );
  t.like(a, { maxTokens: 64, temperature: 1, topP: 1, topK: 0, n: 1, topLogprobs: null, stop: [] });
  t.not(a?.seed, b?.seed);
});

test('a developer message counts as the system message', async (t) => {
  const { app, jobs } = await testApi(t);
  const messages = [
    { role: 'developer', content: 'Be brief' },
    { role: 'user', content: 'Hi' },
  ];
  const { id } = jobOf(await post(app, '/v1/jobs', { messages }));
  t.is((await jobs.get(id))?.request.messages[0]?.role, 'system');
});

test('pictures that cannot fit into the context are refused on submission', async (t) => {
  const { app } = await testApi(t, {}, [{ ...TEST_CARD, contextLength: 30 }]);
  const response = await post(app, '/v1/jobs', question('?', png(8, 6, 1), png(8, 6, 2)));
  t.is(errorOf(response).code, 'context_length_exceeded');
  t.is(response.statusCode, 400);
});

test("a body that is no JSON, too large, or of another type is the caller's error", async (t) => {
  const { app } = await testApi(t, { maxBodyBytes: 2_000 });
  const send = (payload: string, type: string) =>
    app.inject({ method: 'POST', url: '/v1/jobs', headers: { 'content-type': type }, payload });
  const broken = await send('{"a":', 'application/json');
  const empty = await send('', 'application/json');
  const large = await send(JSON.stringify(question('x'.repeat(3_000))), 'application/json');
  const foreign = await send('<a/>', 'text/xml');
  t.deepEqual(
    [broken, empty, large, foreign].map((response) => [
      response.statusCode,
      errorOf(response).code,
    ]),
    [
      [400, 'invalid_json'],
      [400, 'invalid_json'],
      [413, 'body_too_large'],
      [415, 'unsupported_media_type'],
    ],
  );
});

test('an unknown job, and an unknown route, are 404 in the same shape', async (t) => {
  const { app } = await testApi(t);
  const job = await app.inject('/v1/jobs/job_00000000000000000000000000000000');
  const odd = await app.inject('/v1/jobs/..%2f..');
  const route = await app.inject('/v2/nothing');
  const malformed = await app.inject('/v1/jobs/%ff');
  t.deepEqual(
    [job, odd, route, malformed].map((response) => [response.statusCode, errorOf(response).code]),
    [
      [404, 'job_not_found'],
      [404, 'job_not_found'],
      [404, 'route_not_found'],
      [404, 'route_not_found'],
    ],
  );
});

test('with several models the request must name one', async (t) => {
  const { app } = await testApi(t, {}, [TEST_CARD, { ...TEST_CARD, id: 'other' }]);
  const unnamed = await post(app, '/v1/jobs', question('?'));
  t.is(errorOf(unnamed).code, 'model_required');
  const named = await post(app, '/v1/jobs', { ...question('?'), model: 'other' });
  t.is(jobOf(named).model, 'other');
});

test('a model that nobody works for does not make a request name one', async (t) => {
  const { app, redis, prefix } = await testApi(t, {}, [TEST_CARD, { ...TEST_CARD, id: 'gone' }]);
  const registry = new RedisModelRegistry(redis, prefix);
  const worker = await registry.announce('prefill-decode', 'w', TEST_CARD);
  t.teardown(() => worker.stop());
  t.is(jobOf(await post(app, '/v1/jobs', question('?'))).model, TEST_CARD.id);
});

test('text beside pictures keeps its place', async (t) => {
  const { app, jobs } = await testApi(t);
  const content = [textPart('before'), imagePart(dataUri(png())), textPart('after')];
  const { id } = jobOf(await post(app, '/v1/jobs', { messages: [{ role: 'user', content }] }));
  t.deepEqual((await jobs.get(id))?.request.messages[0]?.content, [
    { type: 'text', text: 'before' },
    { type: 'image', image: 0 },
    { type: 'text', text: 'after' },
  ]);
});
