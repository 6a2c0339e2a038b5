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
  const { usage } = completedEnding({ request } as unknown as Job, FINISHED, 5);
  t.is(usage?.imageTokens, 3 * 16 + 64);
  t.deepEqual(usage?.images, { encoded: 0, reused: 2 });
});
