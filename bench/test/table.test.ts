import test from 'ava';
import { table } from '../src/table.ts';

test('words stand to the left, numbers to the right', (t) => {
  const lines = table(
    ['load', 'req/s'],
    [
      ['unique', 7],
      ['text', 120],
    ],
  ).split('\n');
  t.deepEqual(lines, ['load    req/s', '------  -----', 'unique      7', 'text      120']);
});

test('numbers show three significant digits, and a missing one a dash', (t) => {
  const [, , ...rows] = table(
    ['ms'],
    [[0.12345], [1.2345], [123.45], [12345.6], [null], [0]],
  ).split('\n');
  t.deepEqual(
    rows.map((row) => row.trim()),
    ['0.123', '1.23', '123', '12346', '–', '0'],
  );
});
