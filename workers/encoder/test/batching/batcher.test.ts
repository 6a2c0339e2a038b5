import test from 'ava';
import { Batcher, type RunBatch } from '../../src/batching/batcher.ts';
import { batchSize } from '../../src/batching/take-batch.ts';
import { VisionThreadError } from '../../src/vision/vision-runner.ts';

interface Item {
  readonly name: string;
  readonly tokens: number;
  readonly alone: boolean;
}

const item = (name: string, tokens = 16, alone = false): Item => ({ name, tokens, alone });
const LIMITS = { tokensMax: 64, itemsMax: 8 };

/** Records the batches; items named `bad…` fail whoever is with them. */
function recorder(): { batches: string[][]; run: RunBatch<Item, string> } {
  const batches: string[][] = [];
  const run: RunBatch<Item, string> = async (items) => {
    const names = items.map(({ name }) => name);
    batches.push(names);
    await new Promise(setImmediate);
    if (names.some((name) => name.startsWith('bad'))) throw new Error('boom');
    return { results: names.map((name) => name.toUpperCase()), ms: 7 };
  };
  return { batches, run };
}

const sizes = [
  ['what waits goes together', [item('a'), item('b')], 2],
  ['the token budget ends a batch', Array.from({ length: 9 }, () => item('a')), 4],
  ['the count ends a batch', Array.from({ length: 9 }, () => item('a', 1)), 8],
  ['an item over the budget goes by itself', [item('a', 65), item('b')], 1],
  ['an item that may be a culprit goes by itself', [item('a', 16, true), item('b')], 1],
  ['an item that may be a culprit joins nobody', [item('a'), item('b', 16, true), item('c')], 1],
  ['nothing is no batch', [], 0],
] as const;

for (const [title, waiting, expected] of sizes) {
  test(title, (t) => t.is(batchSize(waiting, LIMITS), expected));
}

test('items that come during a run make up the next batch, oldest first', async (t) => {
  const { batches, run } = recorder();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const batcher = new Batcher<Item, string>(async (items) => {
    begun.resolve();
    await gate.promise;
    return run(items);
  }, LIMITS);
  const first = batcher.add(item('a'));
  await begun.promise;
  const rest = ['b', 'c', 'd'].map((name) => batcher.add(item(name)));
  gate.resolve();
  t.deepEqual(await first, { result: 'A', ms: 7, batch: 1 });
  t.deepEqual(
    (await Promise.all(rest)).map(({ result, batch }) => [result, batch]),
    [
      ['B', 3],
      ['C', 3],
      ['D', 3],
    ],
  );
  t.deepEqual(batches, [['a'], ['b', 'c', 'd']]);
  t.is(batcher.waiting, 0);
});

test('of a failed batch only the culprits fail', async (t) => {
  const { batches, run } = recorder();
  const batcher = new Batcher(run, LIMITS);
  const names = ['a', 'bad1', 'c', 'bad2'];
  const outcomes = await Promise.allSettled(names.map((name) => batcher.add(item(name))));
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected'],
  );
  t.like(outcomes[1], { reason: { code: 'encode_failed', retryable: false } });
  t.deepEqual(batches, [names, ['a', 'bad1'], ['a'], ['bad1'], ['c', 'bad2'], ['c'], ['bad2']]);
});

test('no image is blamed when the model itself is gone', async (t) => {
  const runs: number[] = [];
  const batcher = new Batcher<Item, string>(async (items) => {
    runs.push(items.length);
    throw new VisionThreadError('gone');
  }, LIMITS);
  const outcomes = await Promise.allSettled([batcher.add(item('a')), batcher.add(item('b'))]);
  t.true(
    outcomes.every(
      (each) => each.status === 'rejected' && each.reason instanceof VisionThreadError,
    ),
  );
  t.deepEqual(runs, [2]);
});
