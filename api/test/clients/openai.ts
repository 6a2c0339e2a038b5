import type { ExecutionContext } from 'ava';
import OpenAI from 'openai';
import { zodFunction, zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import {
  isWeather,
  isWeatherText,
  MODEL as model,
  MOST_TOKENS,
  QUESTION,
  Weather,
  WEATHER_SCHEMA,
} from './weather.ts';

/** The likeliest token each time: what it calls does not differ from run to run. */
const shared = { model, temperature: 0, parallel_tool_calls: false };
const messages = [{ role: 'user' as const, content: QUESTION }];
const tools = [
  { type: 'function' as const, name: 'weather', parameters: WEATHER_SCHEMA, strict: true },
];

/** OpenAI's own library: its helpers for schemas and tools, in chat completions and responses. */
export async function openaiWorks(t: ExecutionContext, baseURL: string): Promise<void> {
  const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 });
  await parses(t, client);
  await runsTools(t, client);
  await streamsCalls(t, client);
  await takesTurns(t, client);
}

async function parses(t: ExecutionContext, { chat, responses }: OpenAI): Promise<void> {
  const response_format = zodResponseFormat(Weather, 'weather');
  const completion = await chat.completions.parse({ ...shared, messages, response_format });
  t.true(isWeather(completion.choices[0]?.message.parsed));
  const text = { format: zodTextFormat(Weather, 'weather') };
  const response = await responses.parse({ ...shared, input: QUESTION, text });
  t.true(isWeather(response.output_parsed));
}

async function runsTools(t: ExecutionContext, { chat }: OpenAI): Promise<void> {
  const asked: unknown[] = [];
  const runner = chat.completions.runTools(
    {
      ...shared,
      messages,
      tool_choice: 'required',
      tools: [
        zodFunction({
          name: 'weather',
          parameters: Weather,
          function: (args) => {
            asked.push(args);
            return 'Rain.';
          },
        }),
      ],
    },
    // It is made to call each time.
    { maxChatCompletions: 2 },
  );
  await runner.done();
  t.is(asked.length, 2);
  t.true(asked.every(isWeather));
  t.deepEqual(
    runner.messages.map(({ role }) => role),
    ['user', 'assistant', 'tool', 'assistant', 'tool'],
  );
}

async function streamsCalls(t: ExecutionContext, { chat, responses }: OpenAI): Promise<void> {
  const { name, parameters } = tools[0]!;
  const stream = chat.completions.stream({
    ...shared,
    messages,
    tools: [{ type: 'function', function: { name, parameters } }],
    tool_choice: { type: 'function', function: { name } },
    stream_options: { include_usage: true },
  });
  let written = '';
  stream.on('tool_calls.function.arguments.delta', ({ arguments_delta: delta }) => {
    written += delta;
  });
  const { choices, usage } = await stream.finalChatCompletion();
  t.is(choices[0]?.finish_reason, 'tool_calls');
  t.true(isWeatherText(written));
  t.true((usage?.completion_tokens ?? 0) > 0);

  const streamed = responses.stream({ ...shared, input: QUESTION, tools, tool_choice: 'required' });
  let pieces = '';
  streamed.on('response.function_call_arguments.delta', ({ delta }) => {
    pieces += delta;
  });
  const { output } = await streamed.finalResponse();
  const calls = output.filter((item) => item.type === 'function_call');
  t.true(calls.length > 0);
  t.is(pieces, calls.map((call) => call.arguments).join(''));
  t.true(calls.every((call) => isWeatherText(call.arguments)));
}

async function takesTurns(t: ExecutionContext, { responses }: OpenAI): Promise<void> {
  const first = await responses.create({
    ...shared,
    input: QUESTION,
    tools,
    tool_choice: { type: 'function', name: 'weather' },
  });
  const outputs = first.output.flatMap((item) =>
    item.type === 'function_call'
      ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: 'Rain.' }]
      : [],
  );
  t.true(outputs.length > 0);
  const second = await responses.create({
    ...shared,
    input: outputs,
    previous_response_id: first.id,
    max_output_tokens: MOST_TOKENS,
  });
  t.is(second.output[0]?.type, 'message');
  const items = await Array.fromAsync(responses.inputItems.list(second.id, { order: 'asc' }));
  t.deepEqual(
    items.map(({ type }) => type),
    [
      'message',
      ...outputs.map(() => 'function_call'),
      ...outputs.map(() => 'function_call_output'),
    ],
  );
}
