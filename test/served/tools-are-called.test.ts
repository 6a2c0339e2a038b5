import OpenAI from 'openai';
import test, { type ExecutionContext } from 'ava';
import { sharedFleet } from '../helpers/shared-fleet.ts';

const city = {
  type: 'function' as const,
  function: {
    name: 'weather',
    description: 'The weather in a city',
    parameters: {
      type: 'object',
      properties: {
        city: { enum: ['Oslo', 'Rome'] },
        days: { type: 'integer', minimum: 1, maximum: 7 },
      },
      required: ['city', 'days'],
      additionalProperties: false,
    },
  },
};
const clock = { type: 'function' as const, function: { name: 'now' } };
const question = [{ role: 'user' as const, content: 'What is the weather in Oslo?' }];
const shared = { model: 'tiny-vlm', temperature: 1, seed: 3, max_tokens: 300 };

function checkWeather(t: ExecutionContext, text: string): void {
  const { city: place, days } = JSON.parse(text) as { city: string; days: number };
  t.true(['Oslo', 'Rome'].includes(place));
  t.true(Number.isInteger(days) && days >= 1 && days <= 7);
}

test('a model that knows nothing of tools calls them by their schemas', async (t) => {
  const fleet = await sharedFleet(t);
  const { chat } = new OpenAI({ baseURL: `${fleet.url}/v1`, apiKey: 'none', maxRetries: 0 });

  const named = await chat.completions.create({
    ...shared,
    messages: question,
    tools: [city, clock],
    tool_choice: { type: 'function', function: { name: 'weather' } },
    n: 2,
  });
  for (const { message, finish_reason } of named.choices) {
    t.is(finish_reason, 'tool_calls');
    t.is(message.content, null);
    const [call, ...more] = message.tool_calls ?? [];
    t.is(more.length, 0);
    t.is(call?.type === 'function' ? call.function.name : '', 'weather');
    if (call?.type === 'function') checkWeather(t, call.function.arguments);
  }
  const ids = named.choices.flatMap(({ message }) =>
    (message.tool_calls ?? []).map(({ id }) => id),
  );
  t.is(new Set(ids).size, 2);

  // The stream says the same, in pieces.
  const asked = {
    ...shared,
    messages: question,
    tools: [city, clock],
    tool_choice: 'required' as const,
    parallel_tool_calls: false,
  };
  const whole = await chat.completions.create(asked);
  const stream = chat.completions.stream(asked);
  const streamed = await stream.finalChatCompletion();
  const callOf = ({ choices }: typeof whole) => {
    const [call] = choices[0]?.message.tool_calls ?? [];
    return call?.type === 'function'
      ? { name: call.function.name, arguments: call.function.arguments }
      : null;
  };
  t.truthy(callOf(whole));
  t.deepEqual(callOf(streamed as typeof whole), callOf(whole));
  t.is(streamed.choices[0]?.finish_reason, 'tool_calls');

  // Its result makes the next turn, with a prompt that shows both.
  const assistant = whole.choices[0]!.message;
  const second = await chat.completions.create({
    ...shared,
    messages: [
      ...question,
      assistant,
      { role: 'tool', tool_call_id: assistant.tool_calls?.[0]?.id ?? '', content: 'Rain.' },
    ],
    tools: [city, clock],
    tool_choice: 'none',
  });
  t.true((second.usage?.prompt_tokens ?? 0) > 20);
  t.is(second.choices[0]?.message.tool_calls, undefined);

  // What is cut short says so, and shows what there is.
  const cut = await chat.completions.create({ ...asked, max_tokens: 12 });
  t.is(cut.choices[0]?.finish_reason, 'length');

  const free = await chat.completions.create({ ...shared, messages: question, tools: [city] });
  t.true(['stop', 'length', 'tool_calls'].includes(free.choices[0]?.finish_reason ?? ''));
});
