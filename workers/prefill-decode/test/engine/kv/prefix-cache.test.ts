import test from 'ava';
import { PrefixCache } from '../../../src/engine/kv/prefix-cache.ts';
import { Sequence } from '../../../src/engine/sequences/sequence.ts';
import { sampling } from '../../helpers/engine.ts';

const IMAGE_TOKEN = 4;
let keys = 0;

/** A sequence all of whose tokens but the last are cached. */
function sequence(
  tokens: readonly number[],
  image?: { mmHash: string; from: number; rows: number },
  scope = '',
): Sequence {
  const images = image
    ? [
        {
          index: 0,
          mmHash: image.mmHash,
          rows: image.rows,
          positions: Array.from({ length: image.rows }, (_, row) => image.from + row),
        },
      ]
    : [];
  const made = new Sequence({
    key: keys++,
    requestId: 'r',
    choice: 0,
    priority: 0,
    scope,
    sampling: sampling(),
    prompt: tokens,
    images,
    gridPositions: null,
    lastUses: new Map(),
    resume: [],
    endIds: [],
    leader: null,
  });
  made.cached = tokens.length - 1;
  return made;
}

const run = (length: number, first = 100): number[] =>
  Array.from({ length }, (_, at) => first + at);

function cacheOf(capacity: number, ...sequences: readonly Sequence[]): PrefixCache {
  const cache = new PrefixCache();
  cache.resize(capacity);
  for (const each of sequences) cache.insert(each);
  return cache;
}

test('only blocks that are not cached yet are added', (t) => {
  const cache = cacheOf(10);
  t.deepEqual(cache.insert(sequence(run(40))), { from: 0, blocks: [0, 1] });
  t.deepEqual(cache.insert(sequence(run(60))), { from: 32, blocks: [2] });
  t.deepEqual(cache.insert(sequence(run(60))), { from: 48, blocks: [] });
  t.is(cache.tokens, 48);
});

test('a scope neither finds nor learns of what another has cached', (t) => {
  const tokens = run(65);
  const cache = cacheOf(10, sequence(tokens, undefined, 'a'));
  t.deepEqual(cache.match(sequence(tokens, undefined, 'b')), { blocks: [], tokens: 0 });
  t.is(cache.match(sequence(tokens, undefined, 'a')).tokens, 64);
  t.deepEqual(cache.insert(sequence(tokens, undefined, 'b')).blocks, [4, 5, 6, 7]);
  t.is(cache.match(sequence(tokens, undefined, 'b')).tokens, 64);
});

test('scopes share the room, and the least recently used goes whosever it is', (t) => {
  const cache = cacheOf(2, sequence(run(33), undefined, 'a'), sequence(run(33), undefined, 'b'));
  t.is(cache.match(sequence(run(33), undefined, 'a')).tokens, 0);
  t.is(cache.match(sequence(run(33), undefined, 'b')).tokens, 32);
  t.is(cache.tokens, 32);
});

test('a match ends at the first other token, be it inside a block', (t) => {
  const cache = cacheOf(10, sequence(run(65)));
  t.deepEqual(cache.match(sequence([...run(20), 7, ...run(30)])), { blocks: [0, 1], tokens: 20 });
  t.deepEqual(cache.match(sequence([...run(32), 7])), { blocks: [0, 1], tokens: 32 });
  t.deepEqual(cache.match(sequence([7, ...run(20)])), { blocks: [], tokens: 0 });
});

test('the last token of a sequence is computed in any case', (t) => {
  const cache = cacheOf(10, sequence(run(65)));
  t.is(cache.match(sequence(run(32))).tokens, 31);
  t.is(cache.match(sequence(run(33))).tokens, 32);
});

test('of several ways on, the longest is taken', (t) => {
  const cache = cacheOf(
    10,
    sequence([...run(16), ...run(16, 500), 1]),
    sequence([...run(16), ...run(9, 500), ...run(8, 900)]),
  );
  t.deepEqual(cache.match(sequence([...run(16), ...run(12, 500), 3, 3])), {
    blocks: [0, 1],
    tokens: 28,
  });
});

test('image tokens are equal only for the same image in the same place', (t) => {
  const tokens = [...run(4), ...Array.from({ length: 10 }, () => IMAGE_TOKEN), ...run(20, 300)];
  const cache = cacheOf(10, sequence(tokens, { mmHash: 'a', from: 4, rows: 10 }));
  t.is(cache.match(sequence(tokens, { mmHash: 'a', from: 4, rows: 10 })).tokens, 32);
  t.is(cache.match(sequence(tokens, { mmHash: 'b', from: 4, rows: 10 })).tokens, 4);
  t.is(cache.match(sequence(tokens)).tokens, 4);
  t.deepEqual([...cache.images()], ['a']);
});

test('the least recently used prefix goes first, its end before its beginning', (t) => {
  const [first, second] = [sequence(run(33)), sequence(run(33, 500))];
  const cache = cacheOf(4, first, second);
  cache.touch(first);
  cache.insert(sequence(run(17, 900)));
  t.is(cache.match(first).tokens, 32);
  t.is(cache.match(second).tokens, 16);
  t.deepEqual(cache.resize(2).length, 2);
  t.is(cache.match(first).tokens, 16);
});

test('a prefix that is longer than the cache is cached as far as there is room', (t) => {
  const cache = cacheOf(2);
  t.deepEqual(cache.insert(sequence(run(100))), { from: 0, blocks: [0, 1] });
  t.deepEqual(cacheOf(0).insert(sequence(run(100))), { from: 0, blocks: [] });
});

test('the version changes when a match may have become another', (t) => {
  const cache = cacheOf(2);
  const before = cache.version;
  cache.insert(sequence(run(17)));
  t.not(cache.version, before);
  const after = cache.version;
  cache.insert(sequence(run(17)));
  t.is(cache.version, after);
});
