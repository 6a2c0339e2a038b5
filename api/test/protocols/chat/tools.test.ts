import test from 'ava';
import { BadRequestError } from 'openai';
import { openaiClient } from '../../helpers/openai-client.ts';

const f = (parameters?: object, name = 'f') => ({
  type: 'function',
  function: { name, description: 'does', ...(parameters && { parameters }) },
});
const ask = { model: 'tiny-vlm', messages: [{ role: 'user', content: 'two words' }] };
const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
const turns = [
  ...ask.messages,
  { role: 'assistant', content: null, tool_calls: [call], reasoning_content: 'hm' },
  { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'done' }] },
];

async function create(t: Parameters<typeof openaiClient>[0], body: object) {
  const { client, api } = await openaiClient(t);
  const completion = await client.chat.completions.create({ ...ask, ...body } as never);
  const { id } = completion as unknown as { id: string };
  return api.jobs.get(id.replace('chatcmpl-', 'job_'));
}

test('tools, calls and their results reach the worker', async (t) => {
  const parameters = { properties: { a: { type: 'integer' } }, required: ['a'] };
  const job = await create(t, {
    messages: turns,
    tools: [f(parameters), f(undefined, 'g')],
    tool_choice: { type: 'function', function: { name: 'g' } },
    parallel_tool_calls: false,
  });
  t.deepEqual(job?.request.tools, {
    functions: [
      { name: 'f', description: 'does', parameters: { type: 'object', ...parameters } },
      {
        name: 'g',
        description: 'does',
        parameters: { type: 'object', properties: {}, additionalProperties: false },
      },
    ],
    choice: { name: 'g' },
    parallel: false,
  });
  t.deepEqual(job?.request.messages.slice(1), [
    {
      role: 'assistant',
      reasoning: 'hm',
      toolCalls: [{ id: 'call_1', name: 'f', arguments: '{"a":1}' }],
      content: '',
    },
    { role: 'tool', toolCallId: 'call_1', content: [{ type: 'text', text: 'done' }] },
  ]);
});

test('a model that may call nothing is shown nothing', async (t) => {
  for (const body of [{ tools: [f()], tool_choice: 'none' }, { tools: [] }]) {
    t.is((await create(t, body))?.request.tools, undefined);
  }
});

const wrong: readonly (readonly [string, object, string, RegExp])[] = [
  ['a choice without tools', { tool_choice: 'required' }, 'tool_choice', /tools beside it/],
  [
    'the choice of another tool',
    { tools: [f()], tool_choice: { type: 'function', function: { name: 'x' } } },
    'tool_choice',
    /\["f"\].*"x"/,
  ],
  ['a name twice', { tools: [f(), f()] }, 'tools[1].function.name', /"f"/],
  [
    'arguments that are no object',
    { tools: [f({ type: 'string' })] },
    'tools[0].function.parameters.type',
    /"object".*"string"/,
  ],
  [
    'a schema that cannot be held to',
    { tools: [f({ properties: { a: { not: { type: 'string', pattern: '(?<=a)b' } } } })] },
    'tools[0].function.parameters',
    /tools\[0\].function.parameters: /,
  ],
  [
    'text that could hold the mark of a call',
    { tools: [f()], guided_regex: '.*' },
    'guided_regex',
    /a JSON schema.*regex/,
  ],
  ['no end beside tools', { tools: [f()], ignore_eos: true }, 'ignore_eos', /false/],
  [
    'the result of no call',
    { messages: [...ask.messages, { ...turns[2], tool_call_id: 'call_9' }] },
    'messages[1].tool_call_id',
    /"call_9"/,
  ],
  [
    'another kind of tool',
    { tools: [{ type: 'web_search' }] },
    'tools[0].type',
    /one of \["function"\].*web_search/,
  ],
  [
    'an option that the template does not read',
    { chat_template_kwargs: { enable_thinking: true } },
    'chat_template_kwargs.enable_thinking',
    /not supported by this model/,
  ],
  [
    'an effort of a model that does not think',
    { reasoning_effort: 'high' },
    'reasoning_effort',
    /not supported/,
  ],
];
for (const [name, body, param, message] of wrong) {
  test(`refused: ${name}`, async (t) => {
    const error = await t.throwsAsync(create(t, body), { instanceOf: BadRequestError, message });
    t.is(error.param, param);
  });
}

test('a schema beside tools is that of an answer without calls', async (t) => {
  const format = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } };
  const job = await create(t, { tools: [f()], response_format: format });
  t.is(job?.request.sampling.constraint?.type, 'json');
  t.is(job?.request.tools?.choice, 'auto');
});

test('no effort is what a model that does not think has', async (t) => {
  t.is((await create(t, { reasoning_effort: 'none' }))?.request.templateOptions, undefined);
});
