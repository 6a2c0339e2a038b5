import type { JobStatus } from '@epd/jobs';
import { eventually } from '@epd/service/testing';
import test from 'ava';
import { APIUserAbortError, BadRequestError, NotFoundError } from 'openai';
import { openaiClient } from '../../helpers/openai-client.ts';
import { dataUri, png } from '../../helpers/pictures.ts';
import { errorOf, post, question } from '../../helpers/requests.ts';

const model = 'tiny-vlm';
const ask = (content: string) => [{ role: 'user' as const, content }];

test('a plain completion has its answer, its reason and its usage', async (t) => {
  const { client } = await openaiClient(t);
  const completion = await client.chat.completions.create({ model, messages: ask('two words') });
  t.regex(completion.id, /^chatcmpl-[0-9a-f]{32}$/);
  t.like(completion, {
    object: 'chat.completion',
    model,
    choices: [
      { index: 0, message: { role: 'assistant', content: 'two words' }, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 20, completion_tokens: 2, total_tokens: 22 },
  });
});

test('to continue the last message is refused, not passed over', async (t) => {
  const { client } = await openaiClient(t);
  const body = { model, messages: ask('two words'), continue_final_message: true };
  const error = await t.throwsAsync(client.chat.completions.create(body), {
    instanceOf: BadRequestError,
  });
  t.is(error.param, 'continue_final_message');
});

test('a picture may come as a data URI beside text', async (t) => {
  const { client, api } = await openaiClient(t);
  const completion = await client.chat.completions.create({
    model,
    messages: [
      { role: 'system', content: 'Be brief' },
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: dataUri(png()), detail: 'high' } },
          { type: 'text', text: 'what is it' },
        ],
      },
    ],
  });
  t.is(completion.choices[0]?.message.content, 'what is it');
  t.is((await api.waitingEncodes()).length, 1);
});

test('a streamed completion is the plain one in pieces, with usage when asked for', async (t) => {
  const { client } = await openaiClient(t);
  const stream = await client.chat.completions.create({
    model,
    messages: ask('one two three'),
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = await Array.fromAsync(stream);
  t.is(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'one two three');
  t.is(chunks[0]?.choices[0]?.delta.role, 'assistant');
  t.deepEqual(
    chunks
      .flatMap(({ choices }) => choices.map(({ finish_reason: reason }) => reason))
      .filter(Boolean),
    ['stop'],
  );
  t.deepEqual(chunks.at(-1)?.choices, []);
  t.is(chunks.at(-1)?.usage?.completion_tokens, 3);
  t.true(chunks.slice(0, -1).every(({ usage }) => usage === null));
});

test("the client's own stream helper puts the message together", async (t) => {
  const { client } = await openaiClient(t);
  const stream = client.chat.completions.stream({ model, messages: ask('put me together') });
  const completion = await stream.finalChatCompletion();
  t.is(completion.choices[0]?.message.content, 'put me together');
});

test('n answers, with their log probabilities', async (t) => {
  const { client } = await openaiClient(t);
  const body = { model, messages: ask('a b'), n: 3, logprobs: true, top_logprobs: 1 };
  const { choices } = await client.chat.completions.create(body);
  t.deepEqual(
    choices.map(({ index, message }) => [index, message.content]),
    [
      [0, 'a b'],
      [1, 'a b'],
      [2, 'a b'],
    ],
  );
  t.deepEqual(choices[2]?.logprobs?.content?.[0], {
    token: 'a ',
    logprob: -0.5,
    bytes: [97, 32],
    top_logprobs: [{ token: 'a ', logprob: -0.5, bytes: [97, 32] }],
  });
  const chunks = await Array.fromAsync(
    await client.chat.completions.create({ ...body, stream: true }),
  );
  for (const index of [0, 1, 2]) {
    const own = chunks.flatMap(({ choices: all }) =>
      all.filter((choice) => choice.index === index),
    );
    t.is(own.map(({ delta }) => delta.content ?? '').join(''), 'a b');
    t.is(own.flatMap(({ logprobs }) => logprobs?.content ?? []).length, 2);
    t.is(own.at(-1)?.finish_reason, 'stop');
  }
});

test('max_completion_tokens cuts the answer and says so; sampling parameters reach the job', async (t) => {
  const { client, api } = await openaiClient(t);
  const completion = await client.chat.completions.create({
    model,
    messages: ask('a b c d'),
    max_completion_tokens: 2,
    seed: 7,
    stop: ['x', 'y'],
    temperature: 0.5,
    top_p: 0.9,
    frequency_penalty: null,
  });
  t.like(completion.choices[0], { finish_reason: 'length', message: { content: 'a b ' } });
  const job = await api.jobs.get(completion.id.replace('chatcmpl-', 'job_'));
  t.like(job?.request.sampling, {
    maxTokens: 2,
    seed: 7,
    stop: ['x', 'y'],
    temperature: 0.5,
    topP: 0.9,
  });
});

test('what an answer is held to reaches the job, by whichever name it was asked for', async (t) => {
  const { client, api } = await openaiClient(t);
  const schema = { type: 'object', properties: { a: { type: 'integer' } } };
  const json = (ordered: boolean, held: object = schema) => ({
    type: 'json',
    schema: held,
    ordered,
  });
  const cases: [object, object | undefined][] = [
    [{ response_format: { type: 'text' } }, undefined],
    [{ response_format: { type: 'json_object' } }, json(false, { type: 'object' })],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } }, json(false)],
    [
      {
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
      },
      json(true),
    ],
    [{ guided_json: JSON.stringify(schema) }, json(false)],
    [{ guided_choice: ['a', 'b'] }, { type: 'choice', choices: ['a', 'b'] }],
    [{ structured_outputs: { regex: 'a+' } }, { type: 'regex', pattern: 'a+' }],
    [{ structured_outputs: { json: schema } }, json(false)],
  ];
  for (const [asked, constraint] of cases) {
    const request = { model, messages: ask('x'), ...asked };
    const { id } = await client.chat.completions.create(request);
    const job = await api.jobs.get(id.replace('chatcmpl-', 'job_'));
    t.deepEqual(job?.request.sampling.constraint, constraint, JSON.stringify(asked));
  }
});

test('what an answer cannot be held to is refused with the field, the keyword and its place', async (t) => {
  const { client } = await openaiClient(t);
  const items = { type: 'object', properties: { a: { type: 'array', contains: {} } } };
  const format = { type: 'json_schema', json_schema: { name: 'a', schema: items } };
  const cases: [object, string, RegExp][] = [
    [{ response_format: format }, 'response_format', /\/properties\/a\/contains/],
    [{ guided_json: '{' }, 'guided_json', /JSON text/],
    [{ guided_regex: '(a)\\1' }, 'guided_regex', /not supported/],
    [{ guided_grammar: 'root ::= "a"' }, 'guided_grammar', /not supported by this server/],
    [
      { structured_outputs: { structural_tag: {} } },
      'structured_outputs.structural_tag',
      /not supp/,
    ],
    [{ guided_choice: ['a'], guided_regex: 'a' }, 'guided_choice', /expected alone/],
    [{ guided_regex: 'a', ignore_eos: true }, 'ignore_eos', /expected false/],
    [{ guided_regex: 'a', min_tokens: 2 }, 'min_tokens', /expected 0/],
  ];
  for (const [asked, param, reason] of cases) {
    const refused = client.chat.completions.create({ model, messages: ask('x'), ...asked });
    const error = await t.throwsAsync(refused);
    t.like(error, { status: 400, param }, JSON.stringify(asked));
    t.regex(error?.message ?? '', reason);
  }
});

test("errors are the client's own classes, with code and param", async (t) => {
  const { client } = await openaiClient(t);
  const unknown = await t.throwsAsync(
    client.chat.completions.create({ model: 'gpt-9', messages: ask('x') }),
    { instanceOf: NotFoundError },
  );
  t.like(unknown, {
    status: 404,
    code: 'model_not_found',
    param: 'model',
    type: 'invalid_request_error',
  });
  t.regex(unknown?.message ?? '', /"gpt-9" is not registered; there is "tiny-vlm"/);
  const empty = await t.throwsAsync(client.chat.completions.create({ model, messages: [] }), {
    instanceOf: BadRequestError,
  });
  t.like(empty, { status: 400, param: 'messages' });
});

test('a text of 7.5 MB is a 400 that no worker has seen, and holds up no small chat', async (t) => {
  const { client, api } = await openaiClient(t);
  const long = client.chat.completions.create({ model, messages: ask('word '.repeat(1_500_000)) });
  const small = client.chat.completions.create({ model, messages: ask('hi') });
  const error = await t.throwsAsync(long, { instanceOf: BadRequestError });
  t.like(error, { code: 'context_length_exceeded', param: 'messages' });
  t.regex(error?.message ?? '', /at most 51200 bytes of text.* 2048 tokens .*, got 7499999$/);
  t.is((await small).choices[0]?.finish_reason, 'stop');
  t.is((await api.jobs.list({ tenant: 'local', limit: 9, order: 'asc' })).jobs.length, 1);
});

test("a job that fails by the request's fault is a 400, any other a 500; in a stream, an error", async (t) => {
  const { client, api } = await openaiClient(t);
  const create = (content: string) =>
    client.chat.completions.create({ model, messages: ask(content) });
  t.like(await t.throwsAsync(create('fail image_broken')), { status: 400, code: 'invalid_image' });
  const two = { model, ...question('fail image_broken', png(8, 8), png(8, 8, 90)) };
  t.regex(errorOf(await post(api.app, '/v1/chat/completions', two)).message, /^Picture 1 of 2: /);
  t.like(await t.throwsAsync(create('fail prompt_too_long')), {
    status: 400,
    code: 'context_length_exceeded',
  });
  t.like(await t.throwsAsync(create('fail whatever')), { status: 500, code: 'job_failed' });
  const stream = await client.chat.completions.create({
    model,
    messages: ask('fail image_broken'),
    stream: true,
  });
  t.like(await t.throwsAsync(Array.fromAsync(stream)), { code: 'invalid_image' });
});

test('a caller that leaves ends its job, plain or streamed', async (t) => {
  const { client, api } = await openaiClient(t);
  const count = async (status: JobStatus) =>
    (await api.jobs.list({ tenant: 'local', limit: 9, order: 'asc', status })).jobs.length;
  const body = { model, messages: ask('wait here') };
  const stream = await client.chat.completions.create({ ...body, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) break;
  }
  await eventually(async () => (await count('cancelled')) === 1);
  const leaving = new AbortController();
  const plain = client.chat.completions.create(body, { signal: leaving.signal });
  await Promise.all([
    t.throwsAsync(plain, { instanceOf: APIUserAbortError }),
    eventually(async () => (await count('in_progress')) === 1).then(() => leaving.abort()),
  ]);
  t.true(await eventually(async () => (await count('cancelled')) === 2));
});

test('models can be listed and looked up', async (t) => {
  const { client } = await openaiClient(t);
  const models = await Array.fromAsync(client.models.list());
  t.deepEqual(
    models.map(({ id }) => id),
    [model],
  );
  t.is((await client.models.retrieve(model)).object, 'model');
  await t.throwsAsync(client.models.retrieve('gpt-9'), { instanceOf: NotFoundError });
});
