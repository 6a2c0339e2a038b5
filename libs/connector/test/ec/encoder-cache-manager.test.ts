import test from 'ava';
import * as fc from 'fast-check';
import { EncoderCacheManager } from '../../src/index.ts';

test('an item takes its bytes and is freed at its last use, not before', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.allocate('cat', 60, 'r1');
  t.is(cache.usedBytes, 60);
  t.false(cache.isFilled('cat'));
  cache.markFilled('cat');
  cache.acquire('cat', 'r2');
  cache.release('cat', 'r1');
  t.is(cache.freeableBytes, 0);
  t.false(cache.canAllocate(41));
  cache.release('cat', 'r2');
  t.is(cache.freeableBytes, 60);
  t.true(cache.canAllocate(100));
  t.true(cache.has('cat'), 'the data stays until the room is wanted');
});

test('what became freeable first is evicted first, and only as far as needed', (t) => {
  const cache = new EncoderCacheManager(100);
  for (const item of ['a', 'b', 'c']) {
    cache.allocate(item, 30, 'r');
    cache.markFilled(item);
  }
  for (const item of ['b', 'a', 'c']) cache.release(item, 'r');
  cache.allocate('d', 50, 'r');
  t.deepEqual(cache.takeFreed(), ['b', 'a']);
  t.deepEqual(cache.takeFreed(), []);
  t.true(cache.has('c'));
  cache.checkInvariants();
});

test('an item used again is no longer freeable', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.allocate('a', 60, 'r1');
  cache.markFilled('a');
  cache.releaseRequest('r1');
  cache.acquire('a', 'r2');
  t.false(cache.canAllocate(60));
  t.is(cache.freeableBytes, 0);
});

test('an item on its way is not evicted, though its request has ended', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.allocate('a', 60, 'r1');
  cache.releaseRequest('r1');
  t.false(cache.canAllocate(60));
  cache.markFilled('a');
  t.true(cache.canAllocate(60));
});

test('an item that did not arrive gives its space back and names who wants it', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.allocate('a', 60, 'r1');
  cache.acquire('a', 'r2');
  t.deepEqual(cache.discard('a'), ['r1', 'r2']);
  t.deepEqual(cache.discard('a'), []);
  t.is(cache.usedBytes, 0);
  t.deepEqual(cache.takeFreed(), [], 'there is no data to drop');
  cache.checkInvariants();
});

test('an evicted item that is allocated again is not freed behind it', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.allocate('a', 60, 'r1');
  cache.markFilled('a');
  cache.releaseRequest('r1');
  cache.allocate('b', 100, 'r2');
  cache.markFilled('b');
  cache.releaseRequest('r2');
  cache.allocate('a', 60, 'r3');
  t.deepEqual(cache.takeFreed(), ['b']);
});

test('what is larger than the cache can never be allocated', (t) => {
  const cache = new EncoderCacheManager(100);
  t.true(cache.canEverAllocate(100));
  t.false(cache.canEverAllocate(101));
  t.throws(() => cache.allocate('a', 101, 'r'));
});

test('misuse fails at once', (t) => {
  const cache = new EncoderCacheManager(100);
  cache.allocate('a', 10, 'r');
  t.throws(() => cache.allocate('a', 10, 'r'));
  t.throws(() => cache.acquire('b', 'r'));
  t.throws(() => cache.markFilled('b'));
  t.notThrows(() => cache.release('a', 'never referenced it'));
});

test('the account is right after any sequence of requests', (t) => {
  const item = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const request = fc.constantFrom('r1', 'r2', 'r3');
  const step = fc.record({
    kind: fc.constantFrom('want', 'fill', 'release', 'end', 'lose'),
    item,
    request,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new EncoderCacheManager(100);
      for (const { kind, item: name, request: id } of steps) {
        if (kind === 'want' && cache.has(name)) cache.acquire(name, id);
        else if (kind === 'want' && cache.canAllocate(bytesOf(name)))
          cache.allocate(name, bytesOf(name), id);
        else if (kind === 'fill' && cache.has(name)) cache.markFilled(name);
        else if (kind === 'release') cache.release(name, id);
        else if (kind === 'end') cache.releaseRequest(id);
        else if (kind === 'lose' && !cache.isFilled(name)) cache.discard(name);
        cache.checkInvariants();
      }
    }),
  );
  t.pass();
});

const bytesOf = (name: string): number => 20 + 10 * 'abcde'.indexOf(name);
