import { fourBits } from '@epd/graph/variants';

/** How llama.cpp keeps weights: whole numbers share a half-precision scale per block of 32. */
export type GgufType = 'f32' | 'f16' | 'q8_0' | 'q4_0';

/** The types by their number in a file. */
export const TYPE_IDS: Readonly<Record<GgufType, number>> = { f32: 0, f16: 1, q4_0: 2, q8_0: 8 };

const BLOCK = 32;
const SCALE_BYTES = 2;
const BLOCK_BYTES = { q8_0: SCALE_BYTES + BLOCK, q4_0: SCALE_BYTES + BLOCK / 2 } as const;

/** Bytes that so many values take. */
export function bytesOf(type: GgufType, values: number): number {
  if (type === 'f32') return 4 * values;
  if (type === 'f16') return 2 * values;
  return (values / BLOCK) * BLOCK_BYTES[type];
}

/** The values, a multiple of 32 of them where they are quantized, in a type's bytes. */
export function blocksOf(type: GgufType, values: Float32Array): Uint8Array {
  if (type === 'f32') return bytes(values);
  if (type === 'f16') return bytes(Float16Array.from(values));
  return quantized(values, BLOCK_BYTES[type], type === 'q8_0' ? writeEight : writeFour);
}

function quantized(
  values: Float32Array,
  blockBytes: number,
  write: (block: Float32Array, into: Uint8Array) => number,
): Uint8Array {
  const blocks = values.length / BLOCK;
  const out = new Uint8Array(blocks * blockBytes);
  const view = new DataView(out.buffer);
  for (let index = 0; index < blocks; index++) {
    const start = index * blockBytes;
    const block = values.subarray(index * BLOCK, (index + 1) * BLOCK);
    const scale = write(block, out.subarray(start + SCALE_BYTES, start + blockBytes));
    view.setFloat16(start, scale, true);
  }
  return out;
}

/** -127 to 127. */
function writeEight(block: Float32Array, into: Uint8Array): number {
  const scale = block.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
  into.set(Int8Array.from(block, (value) => (scale === 0 ? 0 : Math.round(value / scale))));
  return scale;
}

/** The second half of a block in the high bits. */
function writeFour(block: Float32Array, into: Uint8Array): number {
  const { scale, levels } = fourBits(block);
  const half = BLOCK / 2;
  into.set(levels.subarray(0, half).map((level, at) => level | ((levels[at + half] ?? 0) << 4)));
  return scale;
}

const bytes = (array: Float32Array | Float16Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
