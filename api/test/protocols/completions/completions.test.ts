import test from 'ava';
import { BadRequestError } from 'openai';
import { openaiClient } from '../../helpers/openai-client.ts';

const model = 'tiny-vlm';

test('a completion continues its prompt, without a template, plain and streamed', async (t) => {
  const { client, api } = await openaiClient(t);
  const plain = await client.completions.create({ model, prompt: 'one two three', max_tokens: 9 });
  t.regex(plain.id, /^cmpl-[0-9a-f]{32}$/);
  t.like(plain, {
    object: 'text_completion',
    model,
    choices: [{ index: 0, text: 'one two three', finish_reason: 'stop', logprobs: null }],
  });
  const job = await api.jobs.get(plain.id.replace('cmpl-', 'job_'));
  t.like(job?.request, { raw: true, messages: [{ role: 'user', content: 'one two three' }] });
  const stream = await client.completions.create({
    model,
    prompt: ['one two three'],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.text ?? '';
    usage = chunk.usage ?? usage;
  }
  t.is(text, 'one two three');
  t.truthy(usage);
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ['several prompts', { prompt: ['one', 'two'] }, /prompt/],
  ['tokens in place of text', { prompt: [1, 2] }, /prompt/],
  ['an echo of the prompt', { prompt: 'one', echo: true }, /echo: is not supported by this server/],
  [
    'more than can fit',
    { prompt: 'x'.repeat(2048 * 25 + 1) },
    /prompt: expected at most 51200 bytes/,
  ],
  ['text behind the gap', { prompt: 'one', suffix: 'end' }, /suffix: is not supported/],
];
for (const [name, fields, message] of wrong) {
  test(`refused: ${name}`, async (t) => {
    const { client } = await openaiClient(t);
    const request = client.completions.create({ model, ...fields } as {
      model: string;
      prompt: string;
    });
    await t.throwsAsync(request, { instanceOf: BadRequestError, message });
  });
}
