import test from 'ava';
import { parseCoreTime, stolenShare } from '../../src/awake/core-time.ts';

test('time that the host took is told from the rest', (t) => {
  const before = parseCoreTime('cpu  100 0 50 800 0 0 0 50 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n');
  const after = parseCoreTime('cpu  150 0 75 1000 0 0 0 75 9 9\n');
  t.deepEqual(before, { total: 1000, stolen: 50 });
  t.is(stolenShare(before, after), 25 / 300);
});

test('without readings, or without time between them, nothing is known', (t) => {
  const reading = { total: 10, stolen: 1 };
  t.is(stolenShare(null, reading), null);
  t.is(stolenShare(reading, reading), null);
});
