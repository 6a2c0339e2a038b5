import test from 'ava';
import { argmax } from '../../src/runner/log-probabilities.ts';

test('the largest entry is found wherever it is, of equal ones the first', (t) => {
  for (const length of [1, 7, 8, 9, 16, 37]) {
    for (let at = 0; at < length; at++) {
      const values = Float32Array.from({ length }, (_, id) => -1 - (id % 5));
      values[at] = 3;
      t.is(argmax(values), at);
      values[length - 1] = 3;
      t.is(argmax(values), at);
    }
  }
});

test('entries that a mask closed are never chosen while one is open', (t) => {
  const values = new Float32Array(20).fill(-Infinity);
  values[13] = -1e30;
  t.is(argmax(values), 13);
});
