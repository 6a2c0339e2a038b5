import test from 'ava';
import { NotFoundError } from 'openai';
import type {
  ResponseInputItem,
  ResponseOutputItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import type { OutputDelta } from '@epd/jobs';
import { errorOf, jsonOf, post } from '../../helpers/requests.ts';
import { openaiClient } from '../../helpers/openai-client.ts';
import { dataUri, png } from '../../helpers/pictures.ts';
import { testApi, type TestApi } from '../../helpers/test-api.ts';
import { claimJob } from '../../helpers/worker.ts';

const model = 'tiny-vlm';
const weather = {
  type: 'function' as const,
  name: 'weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: true,
};
const thought: OutputDelta = { type: 'reasoning', text: 'Look it up.' };
const called: OutputDelta[] = [
  { type: 'tool_call', index: 0, id: 'call_1', name: 'weather', arguments: '{"city":' },
  { type: 'tool_call', index: 0, arguments: '"Oslo"}' },
];

/** Answers a response as a worker whose model thinks and calls. */
async function answerWith({ jobs }: TestApi, id: string, deltas: readonly OutputDelta[]) {
  const { fence } = await claimJob(jobs, id.replace('resp_', 'job_'));
  const job = id.replace('resp_', 'job_');
  for (const [token, delta] of deltas.entries()) {
    const event = { type: 'tokens' as const, choice: 0, ids: [token], text: 'x', deltas: [delta] };
    await jobs.append(job, fence, [event]);
  }
  const text = (type: 'content' | 'reasoning') =>
    deltas.map((delta) => (delta.type === type ? delta.text : '')).join('');
  const calls = deltas.flatMap((delta) => (delta.type === 'tool_call' ? [delta] : []));
  const toolCalls = calls
    .filter(({ name }) => name !== undefined)
    .map(({ id: call = '', name = '', index }) => ({
      id: call,
      name,
      arguments: calls.map((one) => (one.index === index ? one.arguments : '')).join(''),
    }));
  const output = {
    content: text('content'),
    reasoning: text('reasoning'),
    reasoningTokens: 3,
    toolCalls,
  };
  const tokenIds = deltas.map((_, token) => token);
  await jobs.finish(
    job,
    {
      status: 'completed',
      choices: [{ text: 'x', output, finishReason: 'stop', tokenIds }],
      usage: {
        promptTokens: 20,
        completionTokens: deltas.length,
        imageTokens: 0,
        cachedTokens: 4,
        images: { encoded: 0, reused: 0 },
      },
      timings: {},
      error: null,
    },
    fence,
  );
}

test('what is thought and called are items, with events of their own, and the next turn builds on them', async (t) => {
  const { client, api } = await openaiClient(t, {}, { answers: false });
  const { id } = await client.responses.create({
    model,
    instructions: 'Be brief',
    input: 'What is the weather?',
    tools: [weather],
    include: ['reasoning.encrypted_content'],
    background: true,
  });
  await answerWith(api, id, [thought, ...called, { type: 'content', text: 'Wait.' }]);
  const response = await client.responses.retrieve(id);
  t.deepEqual(
    response.output.map(({ type }) => type),
    ['reasoning', 'message', 'function_call'],
  );
  t.like(response.usage, {
    input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 3 },
  });
  t.like(response.tools[0], { type: 'function', name: 'weather' });

  const events = await Array.fromAsync(await client.responses.retrieve(id, { stream: true }));
  t.deepEqual(
    events.map(({ type }) => type).filter((type) => type !== 'response.in_progress'),
    [
      'response.created',
      'response.queued',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ],
  );
  // A call that came before content keeps its place in the stream; the response puts the message first.
  t.deepEqual(doneItems(events).toSorted(byId), response.output.toSorted(byId));

  const replayed = response.output as ResponseInputItem[];
  const output: ResponseInputItem = {
    type: 'function_call_output',
    call_id: 'call_1',
    output: 'Rain',
  };
  const turns: ResponseInputItem[][] = [
    [{ role: 'user', content: 'What is the weather?' }, ...replayed, output],
    [
      { role: 'user', content: 'What is the weather?' },
      ...response.output.map((item) => ({ type: 'item_reference' as const, id: item.id ?? '' })),
      output,
    ],
    // Clients that keep the conversation themselves often send of reasoning what is sealed alone.
    [
      { role: 'user', content: 'What is the weather?' },
      ...replayed.map((item) =>
        item.type === 'reasoning' ? Object.assign({}, item, { content: [], id: 'rs_mine' }) : item,
      ),
      output,
    ],
  ];
  const requests = [
    ...turns.map((input) => ({ input })),
    { input: [output], previous_response_id: id },
  ];
  for (const request of requests) {
    const next = await client.responses.create({
      model,
      instructions: 'Be kind',
      background: true,
      ...request,
    });
    const job = await api.jobs.get(next.id.replace('resp_', 'job_'));
    t.deepEqual(job?.request.messages, [
      { role: 'system', content: 'Be kind' },
      { role: 'user', content: 'What is the weather?' },
      {
        role: 'assistant',
        reasoning: 'Look it up.',
        content: 'Wait.',
        toolCalls: [{ id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' }],
      },
      { role: 'tool', toolCallId: 'call_1', content: 'Rain' },
    ]);
  }
});

const byId = (a: ResponseOutputItem, b: ResponseOutputItem) =>
  (a.id ?? '').localeCompare(b.id ?? '');

const doneItems = (events: readonly ResponseStreamEvent[]) =>
  events.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item] : []));

test('input items are listed in pages, and can be referred to, pictures included', async (t) => {
  const { client, api } = await openaiClient(t);
  const first = await client.responses.create({
    model,
    instructions: 'Be brief',
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: dataUri(png()), detail: 'auto' },
          { type: 'input_text', text: 'what is it' },
        ],
      },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'I would rather not' }] } as never,
      { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'red' }] },
    ],
  });
  const page = await client.responses.inputItems.list(first.id, { limit: 3 });
  t.deepEqual(
    page.data.map(({ type }) => type),
    ['function_call_output', 'function_call', 'message'],
  );
  t.true(page.has_more);
  const all = await Array.fromAsync(
    client.responses.inputItems.list(first.id, { limit: 2, order: 'asc' }),
  );
  t.is(new Set(all.map(({ id }) => id)).size, 4);
  t.like(all[0], {
    role: 'user',
    content: [
      { type: 'input_image', detail: 'auto' },
      { type: 'input_text', text: 'what is it' },
    ],
  });
  t.like(all[1], { content: [{ type: 'output_text', text: 'I would rather not' }] });
  t.like(all[3], { call_id: 'c', output: 'red' });

  const again = await client.responses.create({
    model,
    input: [
      { id: all[0]?.id ?? '' },
      ...first.output.map((item) => ({ type: 'item_reference' as const, id: item.id ?? '' })),
      { role: 'user', content: 'and now' },
    ],
  });
  const job = await api.jobs.get(again.id.replace('resp_', 'job_'));
  t.deepEqual(job?.request.messages, [
    {
      role: 'user',
      content: [
        { type: 'image', image: 0 },
        { type: 'text', text: 'what is it' },
      ],
    },
    { role: 'assistant', content: first.output_text },
    { role: 'user', content: 'and now' },
  ]);

  await client.responses.delete(first.id);
  await t.throwsAsync(client.responses.inputItems.list(first.id), { instanceOf: NotFoundError });
  const gone = client.responses.create({ model, input: [{ id: all[0]?.id ?? '' }] });
  t.like(await t.throwsAsync(gone), {
    status: 404,
    code: 'item_not_found',
    param: 'input[0].id',
  });
});

const image = (url: string) => ({
  role: 'user',
  content: [
    { type: 'input_text', text: 'x' },
    { type: 'input_image', image_url: url },
  ],
});

test("errors name the field as the response's caller wrote it", async (t) => {
  const { app } = await testApi(t);
  const asked = { input: 'x' };
  const format = { type: 'json_schema', name: 'a', schema: { type: 'string', format: 'nonsense' } };
  const refused: readonly [body: object, param: string, part?: string][] = [
    [{ input: [image('ftp://a/b')], instructions: 'I' }, 'input[0].content[1].image_url'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-none' }] }] },
      'input[0].content[0].file_id',
    ],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'input[0].content[0]'],
    [{ input: 'x'.repeat(100_000) }, 'input'],
    [{ ...asked, text: { format } }, 'text.format'],
    [{ ...asked, text: { verbosity: 'low' } }, 'text.verbosity'],
    [{ ...asked, reasoning: { effort: 'high' } }, 'reasoning.effort'],
    [{ ...asked, reasoning: { summary: 'detailed' } }, 'reasoning.summary'],
    [{ ...asked, response_format: { type: 'text' } }, 'response_format', 'text.format'],
    [{ ...asked, max_tokens: 3 }, 'max_tokens', 'max_output_tokens'],
    [{ ...asked, n: 2 }, 'n'],
    [{ ...asked, prompt: { id: 'p' } }, 'prompt'],
    [{ ...asked, include: ['file_search_call.results'] }, 'include[0]'],
    [{ ...asked, tools: [{ type: 'web_search' }] }, 'tools[0].type', '"web_search"'],
    [
      { ...asked, tools: [{ ...weather, parameters: { type: 'array' } }] },
      'tools[0].parameters.type',
    ],
    [{ ...asked, tools: [weather], tool_choice: { type: 'function', name: 'b' } }, 'tool_choice'],
    [
      {
        ...asked,
        tools: [weather],
        tool_choice: {
          type: 'allowed_tools',
          mode: 'auto',
          tools: [{ type: 'function', name: 'b' }],
        },
      },
      'tool_choice.tools',
    ],
    [{ input: [{ type: 'web_search_call', id: 'a' }] }, 'input[0].type', '"web_search_call"'],
    [{ input: [{ role: 'user', content: [{ type: 'input_file' }] }] }, 'input[0].content[0].type'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_video' }] }] },
      'input[0].content[0].type',
      'several parts of type input_image',
    ],
    [
      { input: [{ type: 'function_call_output', call_id: 'c', output: 'x' }] },
      'input[0].call_id',
      '"c"',
    ],
    [
      { input: [{ type: 'reasoning', id: 'rs_a', summary: [], encrypted_content: 'gAAAA' }] },
      'input[0].encrypted_content',
    ],
  ];
  for (const [body, param, part = param] of refused) {
    const error = errorOf(await post(app, '/v1/responses', { model, ...body }));
    t.is(error.param, param, JSON.stringify(error));
    t.true(error.message.includes(part), error.message);
    t.true(error.message.startsWith(param), error.message);
  }
});

test('what asks for nothing is taken, and tools that may be called are those that are allowed', async (t) => {
  const { app, jobs } = await testApi(t);
  const other = { ...weather, name: 'clock' };
  const created = await post(app, '/v1/responses', {
    model,
    input: 'x',
    background: true,
    tools: [weather, other],
    tool_choice: {
      type: 'allowed_tools',
      mode: 'required',
      tools: [{ type: 'function', name: 'clock' }],
    },
    parallel_tool_calls: false,
    include: [],
    reasoning: { effort: null, summary: 'auto' },
    text: { format: null, verbosity: 'medium' },
    prompt_cache_key: 'k',
    top_k: 7,
    logit_bias: { '5': 1 },
  });
  const view = jsonOf<{ id: string; tools: { name: string }[]; parallel_tool_calls: boolean }>(
    created,
  );
  t.is(created.statusCode, 200, created.body);
  t.deepEqual(
    view.tools.map(({ name }) => name),
    ['clock'],
  );
  t.false(view.parallel_tool_calls);
  const job = await jobs.get(view.id.replace('resp_', 'job_'));
  t.like(job?.request.tools, { choice: 'required', parallel: false });
  t.like(job?.request.sampling, { topK: 7, logitBias: [[5, 1]] });
});
