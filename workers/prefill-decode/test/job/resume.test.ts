import test from 'ava';
import { emittedTokens } from '../../src/job/resume.ts';

test('a takeover resumes after the tokens that each answer had', (t) => {
  const events = [
    { seq: 1, type: 'stage', stage: 'queued', ms: 0 },
    { seq: 2, type: 'tokens', choice: 0, ids: [5, 6], text: 'a' },
    { seq: 3, type: 'tokens', choice: 1, ids: [7], text: 'b' },
    { seq: 4, type: 'tokens', choice: 0, ids: [8], text: 'c' },
  ] as const;
  t.deepEqual(emittedTokens(events, 3), [[5, 6, 8], [7], []]);
});
