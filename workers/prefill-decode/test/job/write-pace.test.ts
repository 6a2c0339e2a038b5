import test from 'ava';
import { WritePace } from '../../src/job/write-pace.ts';

const gapAt = (answers: number): number => new WritePace(() => answers).gapMs;

test('gaps grow with the answers that are written, between a least and a most', (t) => {
  t.deepEqual([0, 1, 6].map(gapAt), [15, 15, 15]);
  t.is(gapAt(16), 40);
  t.deepEqual([18, 500].map(gapAt), [45, 45]);
});

test('waiters for the same beat resume in the same turn of the event loop', async (t) => {
  const pace = new WritePace(() => 2);
  const gone: string[] = [];
  const first = pace.beat().then(() => void gone.push('first'));
  const second = pace.beat().then(() => void gone.push('second'));
  await first;
  await Promise.resolve();
  t.deepEqual(gone, ['first', 'second']);
  await second;
  await pace.beat();
});
