import test from 'ava';
import { stallsOf, type Seen } from '../../src/takeover/stalls.ts';

const seen = (...all: readonly (readonly [Seen['what'], number])[]): Seen[] =>
  all.map(([what, atMs]) => ({ what, atMs }));

test('a stall reaches from the last token of one worker to the first of the next', (t) => {
  const stream = seen(
    ['token', 1],
    ['token', 5],
    ['resumed', 90],
    ['token', 105],
    ['resumed', 200],
    ['resumed', 300],
    ['token', 310],
  );
  t.deepEqual(stallsOf(stream), [100, 205, 205]);
});

test('a takeover that no reader could notice is no stall', (t) => {
  t.deepEqual(stallsOf(seen(['resumed', 1], ['token', 2])), []);
  t.deepEqual(stallsOf(seen(['token', 1], ['resumed', 2])), []);
});
