import test from 'ava';
import * as fc from 'fast-check';
import { EncoderCacheManager } from '../../src/index.ts';

/** Puts an item of so many bytes there, for the user. */
function put<User>(cache: EncoderCacheManager<User>, mmHash: string, bytes: number, user: User) {
  const evicted = cache.reserve(mmHash, bytes, user);
  cache.settle(mmHash, bytes);
  return evicted;
}

test('an item takes its bytes and is freed at its last use, not before', (t) => {
  const cache = new EncoderCacheManager(100);
  t.deepEqual(cache.reserve('cat', 60, 'r1'), []);
  t.is(cache.usedBytes, 60);
  t.false(cache.isFilled('cat'));
  cache.settle('cat', 60);
  cache.acquire('cat', 'r2');
  cache.release('cat', 'r1');
  t.is(cache.freeableBytes, 0);
  t.is(cache.reserve('dog', 41, 'r1'), null);
  cache.release('cat', 'r2');
  t.is(cache.freeableBytes, 60);
  t.true(cache.has('cat'), 'the data stays until the room is wanted');
  t.deepEqual(cache.reserve('dog', 41, 'r1'), ['cat']);
});

test('room is taken by reservations and counted by what came', (t) => {
  const cache = new EncoderCacheManager(100);
  t.deepEqual(cache.reserve('a', 60, 'r1'), []);
  t.is(cache.reserve('b', 60, 'r2'), null);
  cache.settle('a', 30);
  t.is(cache.usedBytes, 30);
  t.deepEqual(cache.reserve('b', 60, 'r2'), []);
  cache.checkInvariants();
});

test('an item that comes larger than was reserved is counted as it is, and goes like any other', (t) => {
  const cache = new EncoderCacheManager(100);
  put(cache, 'a', 50, 'r1');
  cache.reserve('b', 50, 'r2');
  cache.settle('b', 80);
  t.is(cache.usedBytes, 130);
  cache.checkInvariants();
  cache.releaseAll('r1');
  cache.releaseAll('r2');
  t.deepEqual(cache.reserve('c', 60, 'r3'), ['a', 'b']);
  t.is(cache.usedBytes, 60);
  cache.checkInvariants();
});

test('what became freeable first is evicted first, and only as far as needed', (t) => {
  const cache = new EncoderCacheManager(100);
  for (const item of ['a', 'b', 'c']) put(cache, item, 30, 'r');
  for (const item of ['b', 'a', 'c']) cache.release(item, 'r');
  t.deepEqual(cache.reserve('d', 50, 'r'), ['b', 'a']);
  t.true(cache.has('c'));
  cache.checkInvariants();
});

test('what nobody needs goes, least recently used first; what somebody needs stays', (t) => {
  const cache = new EncoderCacheManager<number>(90);
  for (const [user, mmHash] of ['a', 'b', 'c'].entries()) {
    put(cache, mmHash, 30, user);
    cache.release(mmHash, user);
  }
  cache.acquire('a', 7);
  t.deepEqual(put(cache, 'd', 30, 8), ['b']);
  t.is(cache.reserve('e', 60, 9), null);
  cache.release('a', 7);
  t.deepEqual(cache.reserve('e', 60, 9), ['c', 'a']);
});

test('an item used again is no longer freeable', (t) => {
  const cache = new EncoderCacheManager(100);
  put(cache, 'a', 60, 'r1');
  cache.releaseAll('r1');
  cache.acquire('a', 'r2');
  t.is(cache.reserve('b', 60, 'r3'), null);
  t.is(cache.freeableBytes, 0);
});

test('an item on its way is not evicted, though its user has ended and whoever yields', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.reserve('a', 60, 'r1');
  t.is(
    cache.reserve('b', 60, 'r2', () => true),
    null,
  );
  cache.releaseAll('r1');
  t.is(cache.underWay, 1);
  t.is(
    cache.reserve('b', 60, 'r2', () => true),
    null,
  );
  cache.settle('a', 60);
  t.is(cache.underWay, 0);
  t.deepEqual(cache.reserve('b', 60, 'r2'), ['a']);
});

test('an item that did not arrive gives its space back and names who wants it', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.reserve('a', 60, 'r1');
  cache.acquire('a', 'r2');
  t.deepEqual(cache.discard('a'), ['r1', 'r2']);
  t.deepEqual(cache.discard('a'), []);
  t.false(cache.has('a'));
  t.is(cache.usedBytes, 0);
  t.is(cache.underWay, 0);
  t.deepEqual(cache.reserve('b', 100, 'r2'), []);
  cache.checkInvariants();
});

test('what somebody needs goes to whom they yield to, after what nobody needs', (t) => {
  const cache = new EncoderCacheManager<number>(90);
  put(cache, 'a', 30, 5);
  put(cache, 'b', 30, 2);
  put(cache, 'c', 30, 7);
  cache.release('b', 2);
  t.deepEqual(
    cache.reserve('d', 60, 4, (other) => other > 4),
    ['b', 'a'],
  );
  t.is(
    cache.reserve('e', 60, 8, (other) => other > 8),
    null,
  );
  t.notThrows(() => cache.releaseAll(5), 'what was taken from it is forgotten');
  cache.checkInvariants();
});

test('what several need goes only if all of them yield', (t) => {
  const cache = new EncoderCacheManager<number>(50);
  put(cache, 'a', 50, 5);
  cache.acquire('a', 1);
  t.is(
    cache.reserve('b', 50, 3, (other) => other > 3),
    null,
  );
  cache.release('a', 1);
  t.deepEqual(
    cache.reserve('b', 50, 3, (other) => other > 3),
    ['a'],
  );
});

test('what is larger than the cache gets no room, whoever yields, and nothing goes for it', (t) => {
  const cache = new EncoderCacheManager(100);
  put(cache, 'a', 60, 'r1');
  t.is(
    cache.reserve('b', 101, 'r2', () => true),
    null,
  );
  t.true(cache.isFilled('a'));
});

test('misuse fails at once', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.reserve('a', 10, 'r');
  t.throws(() => cache.reserve('a', 10, 'r'));
  t.throws(() => cache.acquire('b', 'r'));
  t.throws(() => cache.settle('b', 10));
  t.notThrows(() => cache.release('a', 'never referenced it'));
});

const bytesOf = (name: string): number => 20 + 10 * 'abcde'.indexOf(name);

test('the account is right after anything, and whoever is first in turn gets room', (t) => {
  const item = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const step = fc.record({
    kind: fc.constantFrom('want', 'settle', 'release', 'end', 'lose'),
    item,
    user: fc.constantFrom(1, 2, 3),
    bytes: fc.nat(80),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new EncoderCacheManager<number>(100);
      for (const { kind, item: name, user, bytes } of steps) {
        if (kind === 'want' && cache.has(name)) cache.acquire(name, user);
        else if (kind === 'want') cache.reserve(name, bytesOf(name), user, (other) => other > user);
        else if (kind === 'settle' && cache.has(name)) cache.settle(name, bytes);
        else if (kind === 'release') cache.release(name, user);
        else if (kind === 'end') cache.releaseAll(user);
        else if (kind === 'lose' && !cache.isFilled(name)) cache.discard(name);
        cache.checkInvariants();
      }
      for (const name of 'abcde') if (cache.has(name)) cache.settle(name, bytesOf(name));
      const evicted = cache.reserve('first', 100, 0, (other) => other > 0);
      t.not(evicted, null);
      cache.checkInvariants();
    }),
  );
});
