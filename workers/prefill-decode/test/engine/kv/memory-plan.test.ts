import test from 'ava';
import { lengthBuckets } from '../../../src/engine/kv/length-buckets.ts';
import { MemoryPlan } from '../../../src/engine/kv/memory-plan.ts';

const KV = { layers: 6, kvHeads: 1, headDim: 64, type: 'float32' } as const;
const BYTES_PER_TOKEN = 2 * 6 * 64 * 4;
const plan = (tokens: number, maxBatch = 16, contextLength = 2048): MemoryPlan =>
  new MemoryPlan({ kv: KV, kvCacheBytes: tokens * BYTES_PER_TOKEN, maxBatch, contextLength });

test('lengths go up by steps that waste less than half, to the longest exactly', (t) => {
  t.deepEqual(lengthBuckets(2048), [128, 192, 256, 384, 512, 768, 1024, 1536, 2048]);
  t.deepEqual(lengthBuckets(300), [128, 192, 256, 300]);
  t.deepEqual(lengthBuckets(100), [100]);
});

test('slots and parked blocks never take more than the budget', (t) => {
  for (const tokens of [100, 128, 600, 5000, 100_000]) {
    const memory = plan(tokens);
    for (const bucket of memory.buckets) {
      const used = memory.slotBytes(bucket) + memory.blocksAt(bucket) * 16 * BYTES_PER_TOKEN;
      t.true(used <= tokens * BYTES_PER_TOKEN, `${tokens} tokens, bucket ${bucket}`);
      t.true(memory.slotsAt(bucket) >= 1);
    }
  }
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
    kv: { ...KV, type: 'float16' },
    kvCacheBytes: 1,
    maxBatch: 1,
    contextLength: 1,
  });
  t.is(half.bytesPerToken, BYTES_PER_TOKEN / 2);
});
