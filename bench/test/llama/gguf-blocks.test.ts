import test from 'ava';
import { blocksOf, bytesOf } from '../../src/llama/gguf-blocks.ts';

const VALUES = Float32Array.from({ length: 64 }, (_, at) => Math.sin(at) / (at < 32 ? 1 : 50));
const BLOCK = 32;

test('eight bits: a scale per 32 values, of which each is within half a level', (t) => {
  const bytes = blocksOf('q8_0', VALUES);
  t.is(bytes.length, bytesOf('q8_0', VALUES.length));
  const view = new DataView(bytes.buffer);
  for (const [at, value] of VALUES.entries()) {
    const start = Math.floor(at / BLOCK) * 34;
    const scale = view.getFloat16(start, true);
    t.true(Math.abs(scale * view.getInt8(start + 2 + (at % BLOCK)) - value) <= 0.6 * scale);
  }
});

test('four bits: the first half of a block in the low bits, the second in the high ones', (t) => {
  const bytes = blocksOf('q4_0', VALUES);
  t.is(bytes.length, bytesOf('q4_0', VALUES.length));
  const view = new DataView(bytes.buffer);
  for (const [at, value] of VALUES.entries()) {
    const start = Math.floor(at / BLOCK) * 18;
    const scale = view.getFloat16(start, true);
    const byte = view.getUint8(start + 2 + (at % 16));
    const level = at % BLOCK < 16 ? byte & 15 : byte >> 4;
    // One level at the end that has one fewer.
    t.true(Math.abs(scale * (level - 8) - value) <= 1.01 * Math.abs(scale));
  }
});

test('a block of zeros stays one', (t) => {
  for (const type of ['q8_0', 'q4_0'] as const) {
    const bytes = blocksOf(type, new Float32Array(BLOCK));
    t.is(Math.abs(new DataView(bytes.buffer).getFloat16(0, true)), 0);
  }
});
