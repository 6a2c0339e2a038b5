import test from 'ava';
import { BadRequestError } from 'openai';
import { openaiClient } from '../../helpers/openai-client.ts';

const ask = { model: 'tiny-vlm', messages: [{ role: 'user' as const, content: 'two words' }] };

test('logit_bias, min_tokens and stop_token_ids reach the worker', async (t) => {
  const { client, api } = await openaiClient(t);
  const extra = { min_tokens: 2, stop_token_ids: [7] };
  const completion = await client.chat.completions.create({
    ...ask,
    logit_bias: { '5': -100, '6': 1.5 },
    ...extra,
  });
  const job = await api.jobs.get(completion.id.replace('chatcmpl-', 'job_'));
  t.like(job?.request.sampling, {
    logitBias: [
      [5, -100],
      [6, 1.5],
    ],
    minTokens: 2,
    stopTokenIds: [7],
  });
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ['a bias of no token', { logit_bias: { hello: 1 } }, /logit_bias/],
  ['a bias past the range', { logit_bias: { '5': 101 } }, /logit_bias.*101/],
  ['more least than most tokens', { min_tokens: 9, max_tokens: 8 }, /min_tokens.*8.*9/],
];
for (const [name, fields, message] of wrong) {
  test(`refused: ${name}`, async (t) => {
    const { client } = await openaiClient(t);
    const request = client.chat.completions.create({ ...ask, ...fields });
    await t.throwsAsync(request, { instanceOf: BadRequestError, message });
  });
}

test('what would change the answer and is not carried out is refused by its name', async (t) => {
  const { client } = await openaiClient(t);
  const fields = {
    best_of: 3,
    format: 'json',
    continue_final_message: true,
    use_beam_search: true,
    verbosity: 'low',
    audio: { voice: 'alloy', format: 'wav' },
    modalities: ['text', 'audio'],
  };
  for (const [param, value] of Object.entries(fields)) {
    const request = client.chat.completions.create({ ...ask, [param]: value });
    const error = await t.throwsAsync(request, {
      instanceOf: BadRequestError,
      message: /is not supported by this server/,
    });
    t.like(error, { param, code: 'unsupported_parameter' });
  }
});

test('the same parameters with values that ask for nothing are taken', async (t) => {
  const { client } = await openaiClient(t);
  const nothing = {
    best_of: 1,
    format: '',
    continue_final_message: false,
    modalities: ['text'],
    audio: null,
  };
  const completion = await client.chat.completions.create({ ...ask, ...(nothing as object) });
  t.is(completion.choices[0]?.message.content, 'two words');
});

const parts: readonly (readonly [object, RegExp])[] = [
  [{ type: 'video_url', video_url: { url: 'https://example.com/a.mp4' } }, /frames.*type video/],
  [{ type: 'input_video', video_url: 'https://example.com/a.mp4' }, /frames.*type video/],
  [
    { type: 'video', video: ['data:image/png;base64,AA=='], fps: 1 },
    /tiny-vlm takes no videos.*image_url/,
  ],
  [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }, /as text/],
  [{ type: 'file', file: { file_id: 'file-1' } }, /pages.*image_url/],
];
test('parts that are not read are refused by their name, with what does instead', async (t) => {
  const { client } = await openaiClient(t);
  for (const [part, instead] of parts) {
    const content = [{ type: 'text', text: 'two words' }, part] as never;
    const request = client.chat.completions.create({
      model: 'tiny-vlm',
      messages: [{ role: 'user', content }],
    });
    const error = await t.throwsAsync(request, { instanceOf: BadRequestError, message: instead });
    t.like(error, { param: 'messages[0].content[1].type', code: 'unsupported_parameter' });
  }
});
