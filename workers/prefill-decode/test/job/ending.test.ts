import type { Job, JobImage } from '@epd/jobs';
import test from 'ava';
import { completedEnding } from '../../src/job/ending.ts';

const image = (mmHash: string, tokens: number): JobImage => ({
  mmHash,
  input: { key: '', sha256: '', mediaType: 'image/png', bytes: 1, width: 1, height: 1 },
  tokens,
  found: 'stored',
  generation: 0,
});

const FINISHED = {
  type: 'finished',
  id: 'a',
  choices: [],
  images: [],
  usage: { promptTokens: 100, completionTokens: 1, cachedTokens: 0 },
  timings: {},
} as unknown as Parameters<typeof completedEnding>[1];

const shown = (index: number) => ({ type: 'image', image: index }) as const;

test('an image counts as often as it is shown', (t) => {
  const request = {
    messages: [
      { role: 'user', content: [shown(0), shown(1), shown(0), { type: 'text', text: 'which?' }] },
      { role: 'assistant', content: 'the first' },
      { role: 'user', content: [shown(0)] },
    ],
    images: [image('a', 16), image('b', 64)],
  };
  const { usage } = completedEnding(
    { job: { request } as unknown as Job, emitted: [] },
    FINISHED,
    5,
  );
  t.is(usage?.imageTokens, 3 * 16 + 64);
  t.deepEqual(usage?.images, { encoded: 0, reused: 2 });
});

const logprob = (id: number) => ({ id, token: `${id}`, logprob: -1, top: [] });

test('the log probabilities of a resumed answer begin with those that others sampled', (t) => {
  const request = { messages: [], images: [] };
  const tokens = { type: 'tokens', text: '' } as const;
  const emitted = [
    { ...tokens, seq: 2, choice: 0, ids: [5, 6], logprobs: [logprob(5), logprob(6)] },
    { ...tokens, seq: 3, choice: 1, ids: [7], logprobs: [logprob(7)] },
  ];
  const choice = { text: '', finishReason: 'stop', tokenIds: [] } as const;
  const choices = [
    { ...choice, logprobs: [logprob(8)] },
    { ...choice, logprobs: [] },
  ];
  const ending = completedEnding(
    { job: { request } as unknown as Job, emitted },
    { ...FINISHED, choices },
    5,
  );
  const ids = ending.choices.map(({ logprobs }) => logprobs?.map(({ id }) => id));
  t.deepEqual(ids, [[5, 6, 8], [7]]);
});
