import test from 'ava';
import { EncoderSpace } from '../../src/engine/encoder-space.ts';

test('room is taken by reservations and counted by what came', (t) => {
  const space = new EncoderSpace(100);
  t.deepEqual(space.reserve('a', 60, 1), []);
  t.is(space.reserve('b', 60, 2), null);
  t.false(space.isReady('a'));
  space.settle('a', 30);
  t.true(space.isReady('a'));
  t.is(space.usedBytes, 30);
  t.deepEqual(space.reserve('b', 60, 2), []);
});

test('what nobody needs goes, least recently used first; what somebody needs stays', (t) => {
  const space = new EncoderSpace(90);
  for (const [user, mmHash] of ['a', 'b', 'c'].entries()) {
    space.reserve(mmHash, 30, user);
    space.settle(mmHash, 30);
    space.release(mmHash, user);
  }
  t.true(space.use('a', 7));
  t.deepEqual(space.reserve('d', 30, 8), ['b']);
  t.is(space.reserve('e', 60, 9), null);
  space.release('a', 7);
  t.deepEqual(space.reserve('e', 60, 9), ['c', 'a']);
});

test('a load that failed gives its room back', (t) => {
  const space = new EncoderSpace(50);
  space.reserve('a', 50, 1);
  t.is(space.loading, 1);
  space.remove('a');
  t.is(space.loading, 0);
  t.false(space.use('a', 1));
  t.deepEqual(space.reserve('b', 50, 2), []);
});
