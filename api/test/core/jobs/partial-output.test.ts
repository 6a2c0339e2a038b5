import test from 'ava';
import type { OutputDelta, SequencedEvent } from '@epd/jobs';
import { partialChoices } from '../../../src/core/jobs/partial-output.ts';

const tokens = (seq: number, text: string, deltas?: OutputDelta[]): SequencedEvent => ({
  seq,
  type: 'tokens',
  choice: 0,
  ids: [seq],
  text,
  ...(deltas === undefined ? {} : { deltas }),
});

test('partial output is split by kind, where its pieces are', (t) => {
  const events = [
    tokens(1, 'a', [{ type: 'reasoning', text: 'Hm' }]),
    tokens(2, 'b', [
      { type: 'content', text: 'So' },
      { type: 'tool_call', index: 0, id: 'c', name: 'look', arguments: '{"a"' },
    ]),
    tokens(3, 'c', [{ type: 'tool_call', index: 0, arguments: ':1}' }]),
  ];
  t.deepEqual(partialChoices(events, 1, null), [
    {
      text: 'abc',
      tokenIds: [1, 2, 3],
      finishReason: null,
      output: {
        reasoning: 'Hm',
        content: 'So',
        reasoningTokens: 0,
        toolCalls: [{ id: 'c', name: 'look', arguments: '{"a":1}' }],
      },
    },
  ]);
});

test('text without pieces is text alone', (t) => {
  t.deepEqual(partialChoices([tokens(1, 'a'), tokens(2, 'b')], 1, 'cancelled'), [
    { text: 'ab', tokenIds: [1, 2], finishReason: 'cancelled' },
  ]);
});
