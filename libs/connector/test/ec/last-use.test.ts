import test from 'ava';
import { lastUses } from '../../src/index.ts';
import { encodeJobOf } from '../helpers/encode-jobs.ts';

const spanOf = (mmHash: string, offset: number) => ({
  mmHash,
  offset,
  length: 5,
  rows: 4,
  encode: encodeJobOf('cat'),
});

test('an item shown twice is needed until the end of its last span', (t) => {
  const uses = lastUses([spanOf('a', 0), spanOf('b', 10), spanOf('a', 20), spanOf('c', 30)]);
  t.deepEqual(Object.fromEntries(uses), { a: 25, b: 15, c: 35 });
});
