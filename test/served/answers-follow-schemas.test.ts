import test from 'ava';
import { sharedFleet } from '../helpers/shared-fleet.ts';

interface Answer {
  readonly choices: readonly {
    readonly finish_reason: string;
    readonly message: { readonly content: string };
  }[];
}

async function post<T>(url: string, path: string, body: object): Promise<T> {
  const response = await fetch(`${url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ temperature: 1, seed: 5, ...body }),
  });
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

const schema = {
  type: 'object',
  properties: {
    kind: { enum: ['receipt', 'letter'] },
    pages: { type: 'integer', minimum: 1, maximum: 9 },
    date: { type: 'string', format: 'date' },
  },
  required: ['kind', 'pages', 'date'],
  additionalProperties: false,
};

/** Members in the order in which they were written. */
const shape = (text: string): string =>
  Object.entries(JSON.parse(text) as Record<string, unknown>)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');

test('a model that knows nothing of JSON answers by schema, in chat and responses', async (t) => {
  const fleet = await sharedFleet(t);
  const ask = { messages: [{ role: 'user', content: 'What is this?' }], max_tokens: 400 };
  const inOrder = /^kind=(receipt|letter) pages=[1-9] date=\d{4}-\d\d-\d\d$/;

  const json_schema = { name: 'page', schema, strict: true };
  const chat = await post<Answer>(fleet.url, 'chat/completions', {
    ...ask,
    n: 2,
    response_format: { type: 'json_schema', json_schema },
  });
  for (const { message, finish_reason } of chat.choices) {
    t.is(finish_reason, 'stop');
    t.regex(shape(message.content), inOrder);
  }

  const response = await post<{ output: { content: { text: string }[] }[] }>(
    fleet.url,
    'responses',
    { input: 'What is this?', text: { format: { type: 'json_schema', ...json_schema } } },
  );
  t.regex(shape(response.output[0]?.content[0]?.text ?? ''), inOrder);

  const choice = await post<Answer>(fleet.url, 'chat/completions', {
    ...ask,
    structured_outputs: { choice: ['yes', 'no'] },
  });
  t.true(['yes', 'no'].includes(choice.choices[0]?.message.content ?? ''));

  const cut = await post<Answer>(fleet.url, 'chat/completions', {
    ...ask,
    max_tokens: 3,
    response_format: { type: 'json_object' },
  });
  t.is(cut.choices[0]?.finish_reason, 'length');
});
