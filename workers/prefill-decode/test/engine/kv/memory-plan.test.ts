import test from 'ava';
import { lengthBuckets } from '../../../src/engine/kv/length-buckets.ts';
import { MemoryPlan } from '../../../src/engine/kv/memory-plan.ts';

const LAYER = { kind: 'full', kvHeads: 1, headDim: 64, type: 'float32' } as const;
const KV = Array.from({ length: 6 }, () => LAYER);
const ABLE = { restoresPrefixes: true, layoutShare: 0 };
const BYTES_PER_TOKEN = 2 * 6 * 64 * 4;
const plan = (tokens: number, abilities = ABLE): MemoryPlan =>
  new MemoryPlan({
    kv: KV,
    abilities,
    kvCacheBytes: tokens * BYTES_PER_TOKEN,
    maxBatch: 16,
    contextLength: 2048,
  });

test('lengths go up by steps that waste less than half, to the longest exactly', (t) => {
  t.deepEqual(lengthBuckets(2048), [128, 192, 256, 384, 512, 768, 1024, 1536, 2048]);
  t.deepEqual(lengthBuckets(300), [128, 192, 256, 300]);
  t.deepEqual(lengthBuckets(100), [100]);
});

for (const layoutShare of [0, 1 / 12, 1]) {
  test(`slots, a change of their layout (${layoutShare}) and blocks stay within the budget`, (t) => {
    for (const tokens of [100, 128, 600, 5000, 100_000]) {
      const memory = plan(tokens, { ...ABLE, layoutShare });
      for (const bucket of memory.buckets) {
        const slots = memory.slotsAt(bucket) * bucket * BYTES_PER_TOKEN;
        const used = slots * (1 + layoutShare) + memory.blocksAt(bucket) * 16 * BYTES_PER_TOKEN;
        t.true(used <= tokens * BYTES_PER_TOKEN, `${tokens} tokens, bucket ${bucket}`);
        t.true(memory.slotsAt(bucket) >= 1);
      }
    }
  });
}

test('a backend that restores no prefixes has all memory for slots', (t) => {
  const memory = plan(2048, { ...ABLE, restoresPrefixes: false });
  t.is(memory.slotsAt(128), 16);
  t.is(memory.blocksAt(128), 0);
});

test('states of fixed size are paid for by each slot', (t) => {
  const recurrent = { kind: 'recurrent', shape: [64, 8], type: 'float32' } as const;
  const kvCacheBytes = 4 * (128 * BYTES_PER_TOKEN + 64 * 8 * 4);
  const memory = new MemoryPlan({
    kv: [...KV, recurrent],
    abilities: { restoresPrefixes: false, layoutShare: 0 },
    kvCacheBytes,
    maxBatch: 16,
    contextLength: 128,
  });
  t.is(memory.slotsAt(128), 4);
});

test('the longest sequence is what context or memory allows', (t) => {
  t.is(plan(100_000).longest, 2048);
  t.is(plan(300).longest, 300);
});

test('longer slots are fewer', (t) => {
  const memory = plan(2048);
  t.deepEqual(
    memory.buckets.map((bucket) => memory.slotsAt(bucket)),
    [12, 8, 6, 4, 3, 2, 1, 1, 1],
  );
});

test('half-precision keys and values take half', (t) => {
  const half = new MemoryPlan({
    kv: Array.from({ length: 6 }, () => ({ ...LAYER, type: 'float16' })),
    abilities: ABLE,
    kvCacheBytes: 1,
    maxBatch: 1,
    contextLength: 1,
  });
  t.is(half.bytesPerToken, BYTES_PER_TOKEN / 2);
});
