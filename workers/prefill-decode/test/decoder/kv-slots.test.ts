import test from 'ava';
import { floatArray, type FloatArray, type FloatType } from '../../src/decoder/float-array.ts';
import { KVSlots } from '../../src/decoder/kv-slots.ts';

const SHAPE = { kind: 'full', kvHeads: 2, headDim: 3, type: 'float32' } as const;
const LAYERS = [SHAPE, SHAPE];

/** Slots whose every element says where it belongs: sequence, side, head, token. */
function filled(slots: number, length: number, lengths: readonly number[]): KVSlots {
  const memory = new KVSlots(LAYERS);
  memory.layout(slots, length, []);
  for (const [slot, tokens] of lengths.entries()) write(memory, slot, slot, 0, tokens);
  return memory;
}

function write(memory: KVSlots, slot: number, sequence: number, at: number, count: number): void {
  for (let side = 0; side < memory.sides; side++) {
    const source = new Float32Array(SHAPE.kvHeads * count * SHAPE.headDim);
    for (let i = 0; i < source.length; i++) {
      const head = Math.floor(i / (count * SHAPE.headDim));
      const token = at + (Math.floor(i / SHAPE.headDim) % count);
      source[i] = mark(sequence, side, head, token);
    }
    memory.append(side, slot, at, source, { row: 0, width: count, skip: 0, count });
  }
}

const mark = (sequence: number, side: number, head: number, token: number): number =>
  1 + token + 100 * head + 1000 * side + 10_000 * sequence;

/** The sequence's number when the slot holds its first tokens, and nothing of others among them. */
function holds(memory: KVSlots, slot: number, sequence: number, tokens: number): boolean {
  return Array.from({ length: memory.sides }, (_, side) => memory.view(side, slot, 1)).every(
    (view, side) =>
      Array.from({ length: SHAPE.kvHeads }, (_, head) => head).every((head) =>
        Array.from({ length: tokens }, (_, token) => token).every(
          (token) =>
            view[(head * memory.length + token) * SHAPE.headDim] ===
            mark(sequence, side, head, token),
        ),
      ),
  );
}

test('a new length keeps what slots hold', (t) => {
  const memory = filled(3, 8, [5, 0, 7]);
  memory.layout(4, 12, [5, 0, 7]);
  t.true(holds(memory, 0, 0, 5) && holds(memory, 2, 2, 7));
  memory.layout(3, 7, [5, 0, 7, 0]);
  t.true(holds(memory, 0, 0, 5) && holds(memory, 2, 2, 7));
});

test('appended tokens follow those that are there', (t) => {
  const memory = filled(2, 8, [3, 2]);
  write(memory, 1, 1, 2, 4);
  t.true(holds(memory, 0, 0, 3) && holds(memory, 1, 1, 6));
});

test('slots trade places, also with an empty one', (t) => {
  const memory = filled(3, 8, [3, 6]);
  memory.swap(0, 3, 1, 6);
  t.true(holds(memory, 0, 1, 6) && holds(memory, 1, 0, 3));
  memory.swap(0, 6, 2, 0);
  t.true(holds(memory, 2, 1, 6));
});

test('cached blocks are restored whole or in part, whatever happened to the slot', (t) => {
  const memory = filled(2, 64, [50]);
  memory.save(0, 0, [7, 3]);
  memory.save(0, 32, [4]);
  memory.layout(1, 48, [0]);
  memory.restore(0, [7, 3, 4], 48);
  t.true(holds(memory, 0, 0, 48));
  memory.layout(2, 64, []);
  memory.restore(1, [7, 3], 21);
  t.true(holds(memory, 1, 0, 21));
  t.false(holds(memory, 1, 0, 22));
});

test('a block that is not held cannot be restored', (t) => {
  const memory = filled(1, 32, [32]);
  memory.save(0, 0, [0]);
  memory.drop([0]);
  t.throws(() => memory.restore(0, [0], 16), { instanceOf: RangeError });
});

/** An allocator that knows how many bytes it gave and nobody has freed. */
function counted(): { allocate: (type: FloatType, length: number) => FloatArray; peak: number } {
  const given: FloatArray[] = [];
  const counter = {
    peak: 0,
    allocate: (type: FloatType, length: number): FloatArray => {
      given.push(floatArray(type, length));
      const held = given.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
      counter.peak = Math.max(counter.peak, held);
      return given.at(-1) as FloatArray;
    },
  };
  return counter;
}

/** Of both layers' keys and values. */
const slotBytes = (slots: number, length: number): number => 4 * slots * length * 2 * 3 * 4;

test('a new layout needs no more than one side beside what it leaves behind', (t) => {
  const counter = counted();
  const memory = new KVSlots(LAYERS, counter.allocate);
  memory.layout(3, 8, []);
  memory.layout(4, 12, [8, 8, 8]);
  t.true(counter.peak <= slotBytes(4, 12) * (1 + memory.layoutShare), `${counter.peak} bytes`);
  memory.save(0, 0, [0]);
  memory.drop([0]);
  memory.layout(2, 8, [8, 8]);
  counter.peak = 0;
  memory.save(0, 0, []);
  memory.layout(2, 8, [8, 8]);
  t.true(counter.peak <= slotBytes(2, 8) * (1 + memory.layoutShare), `${counter.peak} bytes`);
});

test('layers may differ in heads and size', (t) => {
  const wide = { kind: 'window', window: 4, kvHeads: 1, headDim: 5, type: 'float16' } as const;
  const memory = new KVSlots([SHAPE, wide]);
  memory.layout(2, 20, []);
  const source = Float16Array.from({ length: 17 * 5 }, (_, i) => i);
  memory.append(2, 0, 0, source, { row: 0, width: 17, skip: 0, count: 17 });
  memory.save(0, 0, [7, 3]);
  memory.restore(1, [7, 3], 17);
  t.deepEqual(memory.view(2, 1, 1).slice(0, 17 * 5), source);
});

test('states that are no keys and values are refused', (t) => {
  const conv = { kind: 'conv', shape: [4, 3], type: 'float32' } as const;
  t.throws(() => new KVSlots([SHAPE, conv]), { instanceOf: TypeError });
});
