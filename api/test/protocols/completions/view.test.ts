import test from 'ava';
import { textLogprobs } from '../../../src/protocols/completions/view.ts';

/** The longest answer that a context of this size holds; each of its tokens has a place in the text. */
const LONGEST = 200_000;

test('every token says where in the answer it begins, in time that grows with the answer alone', (t) => {
  const token = { id: 1, token: 'ab', logprob: -1, top: [] };
  const last = { id: 2, token: '日本', logprob: -2, top: [{ id: 3, token: 'x', logprob: -3 }] };
  const tokens = [...Array.from({ length: LONGEST }, () => token), last];
  const logprobs = textLogprobs(tokens, 10);
  t.deepEqual(logprobs.text_offset.slice(0, 3), [10, 12, 14]);
  t.is(logprobs.text_offset.at(-1), 10 + 2 * LONGEST);
  t.is(logprobs.token_logprobs.at(-1), -2);
  t.deepEqual(logprobs.top_logprobs.at(-1), { x: -3 });
});
