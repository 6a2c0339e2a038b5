import test from 'ava';
import { EncoderSpace } from '../../src/engine/encoder-space.ts';

const never = (): boolean => false;

test('room is taken by reservations and counted by what came', (t) => {
  const space = new EncoderSpace<number>(100);
  t.deepEqual(space.reserve('a', 60, 1, never), []);
  t.is(space.reserve('b', 60, 2, never), null);
  t.false(space.isReady('a'));
  space.settle('a', 30);
  t.true(space.isReady('a'));
  t.is(space.usedBytes, 30);
  t.deepEqual(space.reserve('b', 60, 2, never), []);
});

test('what nobody needs goes, least recently used first; what somebody needs stays', (t) => {
  const space = new EncoderSpace<number>(90);
  for (const [user, mmHash] of ['a', 'b', 'c'].entries()) {
    space.reserve(mmHash, 30, user, never);
    space.settle(mmHash, 30);
    space.release(mmHash, user);
  }
  t.true(space.use('a', 7));
  t.deepEqual(space.reserve('d', 30, 8, never), ['b']);
  t.is(space.reserve('e', 60, 9, never), null);
  space.release('a', 7);
  t.deepEqual(space.reserve('e', 60, 9, never), ['c', 'a']);
});

test('a load that failed gives its room back', (t) => {
  const space = new EncoderSpace<number>(50);
  space.reserve('a', 50, 1, never);
  t.is(space.loading, 1);
  space.remove('a');
  t.is(space.loading, 0);
  t.false(space.use('a', 1));
  t.deepEqual(space.reserve('b', 50, 2, never), []);
});

test('what somebody needs goes to whom they yield to, after what nobody needs', (t) => {
  const space = new EncoderSpace<number>(90);
  for (const [mmHash, user] of [
    ['a', 5],
    ['b', 2],
    ['c', 7],
  ] as const) {
    space.reserve(mmHash, 30, user, never);
    space.settle(mmHash, 30);
  }
  space.release('b', 2);
  t.deepEqual(
    space.reserve('d', 60, 4, (other) => other > 4),
    ['b', 'a'],
  );
  t.is(
    space.reserve('e', 60, 8, (other) => other > 8),
    null,
  );
});

test('a load that is under way takes its room whoever yields', (t) => {
  const space = new EncoderSpace<number>(50);
  space.reserve('a', 50, 5, never);
  t.is(
    space.reserve('b', 50, 1, () => true),
    null,
  );
});
