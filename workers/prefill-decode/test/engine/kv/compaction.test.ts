import test from 'ava';
import { compact } from '../../../src/engine/kv/compaction.ts';
import { MemoryPlan } from '../../../src/engine/kv/memory-plan.ts';
import { PrefixCache } from '../../../src/engine/kv/prefix-cache.ts';
import { Sequence } from '../../../src/engine/sequences/sequence.ts';
import { Slots } from '../../../src/engine/kv/slots.ts';
import { sampling } from '../../helpers/engine.ts';

/** Sixteen slots, all taken; those of `kept` continue, the others are freed. */
function slotsWith(kept: readonly number[]): { slots: Slots; decoding: Sequence[] } {
  const kv = [{ kind: 'full', kvHeads: 1, headDim: 1, type: 'float32' } as const];
  const abilities = { restoresPrefixes: true, layoutShare: 0 };
  const plan = new MemoryPlan({
    kv,
    abilities,
    kvCacheBytes: 2 ** 20,
    maxBatch: 16,
    contextLength: 256,
  });
  const slots = new Slots(plan, new PrefixCache());
  slots.layout(128);
  const all = Array.from({ length: 16 }, (_, key) => {
    const sequence = new Sequence({
      key,
      requestId: `${key}`,
      choice: 0,
      priority: 0,
      scope: '',
      sampling: sampling(),
      prompt: [1000 + key, 2, 3],
      images: [],
      gridPositions: null,
      lastUses: new Map(),
      resume: [],
      endIds: [],
      leader: null,
    });
    slots.allocate(sequence);
    sequence.computed = 2;
    return sequence;
  });
  for (const [slot, sequence] of all.entries()) if (!kept.includes(slot)) slots.free(sequence);
  slots.takeOperations();
  return { slots, decoding: all.filter(({ slot }) => slot !== null) };
}

test('neighbours stay where they are', (t) => {
  const { slots, decoding } = slotsWith([3, 4, 5]);
  t.deepEqual(compact(slots, decoding), { first: 3, end: 6 });
  t.deepEqual(slots.takeOperations(), []);
});

test('a hole is closed by the last sequence', (t) => {
  const { slots, decoding } = slotsWith([0, 1, 3, 4]);
  t.deepEqual(compact(slots, decoding), { first: 0, end: 4 });
  t.deepEqual(slots.takeOperations(), [{ op: 'swap', a: 4, lengthA: 2, b: 2, lengthB: 0 }]);
  t.is(slots.ownerOf(2)?.key, 4);
});

test('scattered sequences are brought together', (t) => {
  const { slots, decoding } = slotsWith([0, 7, 15]);
  const { first, end } = compact(slots, decoding);
  t.is(end - first, 3);
  const taken = decoding.map(({ slot }) => slot ?? -1);
  t.deepEqual(
    taken.toSorted((a, b) => a - b),
    [0, 1, 2],
  );
});

test('nothing that decodes needs no range', (t) => {
  const { slots } = slotsWith([2]);
  t.deepEqual(compact(slots, []), { first: 0, end: 0 });
});
