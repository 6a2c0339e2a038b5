import test from 'ava';
import { LineProgress } from '../../../src/core/batches/line-progress.ts';

test('the first lines without a result are pending, whatever was done out of turn', (t) => {
  const progress = new LineProgress([0, 1, 3]);
  t.deepEqual(progress.pending(8, 3), [2, 4, 5]);
  for (const line of [2, 5]) progress.add(line);
  t.deepEqual(progress.pending(8, 3), [4, 6, 7]);
  for (const line of [4, 6, 7]) progress.add(line);
  t.deepEqual(progress.pending(8, 3), []);
  t.is(progress.count, 8);
});
