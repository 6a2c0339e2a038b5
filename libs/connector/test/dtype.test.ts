import test from 'ava';
import { fromFloat32, toFloat32, toSharedBytes } from '../src/index.ts';
import type { EmbeddingDtype } from '../src/index.ts';

const embedding = (dtype: EmbeddingDtype, data: Uint8Array, width: number) => ({
  rows: 1,
  width,
  dtype,
  data,
});

const CASES: [EmbeddingDtype, number, string][] = [
  ['F32', 1, '0000803f'],
  ['BF16', 1, '803f'],
  ['BF16', -2.5, '20c0'],
  ['BF16', Number.POSITIVE_INFINITY, '807f'],
  ['F16', 1, '003c'],
  ['F16', -2.5, '00c1'],
  ['F16', 65_504, 'ff7b'],
  ['F16', 2 ** -24, '0100'],
];
for (const [dtype, value, hex] of CASES) {
  test(`${value} in ${dtype} is ${hex}, both ways`, (t) => {
    t.is(Buffer.from(fromFloat32(Float32Array.of(value), dtype)).toString('hex'), hex);
    t.is(toFloat32(embedding(dtype, Buffer.from(hex, 'hex'), 1))[0], value);
  });
}

test('narrowing rounds to the nearest, ties to even', (t) => {
  const ties = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20);
  const rounded = toFloat32(embedding('BF16', fromFloat32(ties, 'BF16'), 3));
  t.deepEqual([...rounded], [1, 1 + 2 ** -6, 1 + 2 ** -7]);
});

test('NaN stays NaN in every type', (t) => {
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    t.is(
      toFloat32(embedding(dtype, fromFloat32(Float32Array.of(Number.NaN), dtype), 1))[0],
      Number.NaN,
    );
  }
  const signalling = new Float32Array(Uint32Array.of(0x7f80_0001).buffer);
  t.is(toFloat32(embedding('BF16', fromFloat32(signalling, 'BF16'), 1))[0], Number.NaN);
});

test('bytes at an odd offset are read right', (t) => {
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    const bytes = fromFloat32(Float32Array.of(1, 2, 3), dtype);
    const shifted = Buffer.concat([Buffer.from([0]), bytes]).subarray(1);
    t.deepEqual([...toFloat32(embedding(dtype, shifted, 3))], [1, 2, 3]);
  }
});

test('shared F32 bytes are viewed, not copied', (t) => {
  const shared = toSharedBytes(fromFloat32(Float32Array.of(1, 2), 'F32'));
  t.is(toFloat32(embedding('F32', shared, 2)).buffer, shared.buffer);
});
