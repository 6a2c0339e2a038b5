import test from 'ava';
import { APIError, BadRequestError, NotFoundError } from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { eventually } from '@epd/service/testing';
import { errorOf, jsonOf, post } from '../../helpers/requests.ts';
import { testApi } from '../../helpers/test-api.ts';
import { openaiClient } from '../../helpers/openai-client.ts';
import { dataUri, png } from '../../helpers/pictures.ts';

const model = 'tiny-vlm';

test('a plain response has its text and its usage', async (t) => {
  const { client } = await openaiClient(t);
  const response = await client.responses.create({
    model,
    input: 'two words',
    metadata: { a: 'b' },
  });
  t.regex(response.id, /^resp_[0-9a-f]{32}$/);
  t.is(response.output_text, 'two words');
  t.like(response, {
    object: 'response',
    status: 'completed',
    error: null,
    metadata: { a: 'b' },
    usage: { input_tokens: 20, output_tokens: 2, total_tokens: 22 },
  });
});

test('pictures come as URLs or as uploaded files', async (t) => {
  const { client, api } = await openaiClient(t);
  const file = await client.files.create({
    file: new File([png(8, 6, 3)], 'a.png'),
    purpose: 'vision',
  });
  const response = await client.responses.create({
    model,
    instructions: 'Be brief',
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: dataUri(png(8, 6, 4)), detail: 'auto' },
          { type: 'input_image', file_id: file.id, detail: 'auto' },
          { type: 'input_text', text: 'compare them' },
        ],
      },
    ],
  });
  t.is(response.output_text, 'compare them');
  const job = await api.jobs.get(response.id.replace('resp_', 'job_'));
  t.is(job?.request.images.length, 2);
  t.is(job?.request.messages[0]?.content, 'Be brief');
});

test('an answer cut by its limit is incomplete, and says why', async (t) => {
  const { client } = await openaiClient(t);
  const response = await client.responses.create({ model, input: 'a b c', max_output_tokens: 2 });
  t.like(response, { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
});

test('a stream is numbered from 0 without gaps and spells out the response', async (t) => {
  const { client } = await openaiClient(t);
  const events = await Array.fromAsync(
    await client.responses.create({ model, input: 'one two', stream: true }),
  );
  t.deepEqual(
    events.map(({ type }) => type),
    [
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ],
  );
  t.deepEqual(
    events.map(({ sequence_number: number }) => number),
    [...events.keys()],
  );
  const last = events.at(-1);
  t.is(last?.type === 'response.completed' ? textOf(last) : '', 'one two');
});

test("the client's own stream helper puts the response together", async (t) => {
  const { client } = await openaiClient(t);
  const stream = client.responses.stream({ model, input: 'put me together' });
  t.is((await stream.finalResponse()).output_text, 'put me together');
});

test('a background response is queued at once and can be polled to its end', async (t) => {
  const { client } = await openaiClient(t);
  const { id, status } = await client.responses.create({ model, input: 'later', background: true });
  t.is(status, 'queued');
  const done = await eventually(async () => {
    const response = await client.responses.retrieve(id);
    return response.status === 'completed' && response;
  });
  t.is(done.output_text, 'later');
});

test('a stream that was left is resumed after any of its events, with the same numbers', async (t) => {
  const { client } = await openaiClient(t);
  const all = await Array.fromAsync(
    await client.responses.create({ model, input: 'a b c', background: true, stream: true }),
  );
  const first = all[0];
  const id = first?.type === 'response.created' ? first.response.id : '';
  for (const after of [0, 4, all.length - 2]) {
    const rest = await Array.fromAsync(
      await client.responses.retrieve(id, { stream: true, starting_after: after }),
    );
    t.deepEqual(rest.map(outline), all.slice(after + 1).map(outline));
  }
});

test('a response can be cancelled, and deleted', async (t) => {
  const { client } = await openaiClient(t);
  const { id } = await client.responses.create({ model, input: 'wait for it', background: true });
  await eventually(async () => (await client.responses.retrieve(id)).status === 'in_progress');
  t.is((await client.responses.cancel(id)).status, 'cancelled');
  await client.responses.delete(id);
  await t.throwsAsync(client.responses.retrieve(id), { instanceOf: NotFoundError });
});

test('previous_response_id continues the conversation, pictures included, instructions not', async (t) => {
  const { client, api } = await openaiClient(t);
  const first = await client.responses.create({
    model,
    instructions: 'Old instructions',
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: dataUri(png()), detail: 'auto' },
          { type: 'input_text', text: 'what is it' },
        ],
      },
    ],
  });
  const second = await client.responses.create({
    model,
    instructions: 'New instructions',
    input: 'and now',
    previous_response_id: first.id,
  });
  t.is(second.previous_response_id, first.id);
  const job = await api.jobs.get(second.id.replace('resp_', 'job_'));
  t.deepEqual(job?.request.messages, [
    { role: 'system', content: 'New instructions' },
    {
      role: 'user',
      content: [
        { type: 'image', image: 0 },
        { type: 'text', text: 'what is it' },
      ],
    },
    { role: 'assistant', content: 'what is it' },
    { role: 'user', content: 'and now' },
  ]);
});

test('store: false leaves nothing behind, and does not go with background', async (t) => {
  const { client, api } = await openaiClient(t);
  const { id } = await client.responses.create({ model, input: 'x', store: false });
  t.is(await api.redis.zcard(`${api.prefix}:jobs:index:local`), 0);
  t.is(await api.redis.zcard(`${api.prefix}:jobs:retained`), 0);
  await t.throwsAsync(client.responses.retrieve(id), { instanceOf: NotFoundError });
  const stream = await client.responses.create({ model, input: 'x', store: false, stream: true });
  for await (const event of stream) t.truthy(event.type);
  const failing = client.responses.create({ model, input: 'fail internal', store: false });
  await t.throwsAsync(failing, { instanceOf: APIError });
  const kept = async () => api.redis.zcard(`${api.prefix}:jobs:index:local`);
  await t.notThrowsAsync(
    eventually(async () => (await kept()) === 0),
    'streamed and failed ones, too',
  );
  const both = client.responses.create({ model, input: 'x', store: false, background: true });
  await t.throwsAsync(both, { instanceOf: BadRequestError });
});

test('a response sent again is found although the one before it is forgotten', async (t) => {
  const { client } = await openaiClient(t);
  const { id: previous_response_id } = await client.responses.create({ model, input: 'x' });
  const next = { model, input: 'y', previous_response_id };
  const options = { headers: { 'idempotency-key': 'k' } };
  const { id } = await client.responses.create(next, options);
  await client.responses.delete(previous_response_id);
  t.is((await client.responses.create(next, options)).id, id);
});

test('an unknown previous response, and an input of the wrong kind, are refused', async (t) => {
  const { client } = await openaiClient(t);
  const previous_response_id = `resp_${'0'.repeat(32)}`;
  t.like(
    await t.throwsAsync(client.responses.create({ model, input: 'x', previous_response_id })),
    {
      status: 404,
      code: 'response_not_found',
    },
  );
  const wrong = client.responses.create({ model, input: 5 as unknown as string });
  t.like(await t.throwsAsync(wrong), { status: 400, param: 'input' });
});

test('a failed response says so when polled, and streams its failure', async (t) => {
  const { client } = await openaiClient(t);
  const events = await Array.fromAsync(
    await client.responses.create({ model, input: 'fail image_broken', stream: true }),
  );
  const last = events.at(-1);
  t.is(last?.type, 'response.failed');
  t.is(last?.type === 'response.failed' ? last.response.error?.code : null, 'invalid_image');
});

const outline = ({ type, sequence_number: number }: ResponseStreamEvent) => [number, type];

const textOf = ({
  response,
}: Extract<ResponseStreamEvent, { type: 'response.completed' }>): string => {
  const item = response.output[0];
  const part = item?.type === 'message' ? item.content[0] : undefined;
  return part?.type === 'output_text' ? part.text : '';
};

test('a response without an answer cannot be continued', async (t) => {
  const { app, jobs } = await testApi(t);
  const create = (body: object) => post(app, '/v1/responses', { model, background: true, ...body });
  const { id } = jsonOf<{ id: string }>(await create({ input: 'x' }));
  const refused = { code: 'invalid_value', param: 'previous_response_id' };
  t.like(errorOf(await create({ input: 'y', previous_response_id: id })), refused);
  const error = { code: 'x', message: 'x', stage: 'decode', item: null, retryable: false };
  const ending = { status: 'failed', choices: [], usage: null, timings: {}, error } as const;
  await jobs.finish(id.replace('resp_', 'job_'), ending);
  t.like(errorOf(await create({ input: 'y', previous_response_id: id })), refused);
});
