import type { Embedding, EmbeddingDtype } from './embedding.ts';

const BYTES_PER_ELEMENT: Readonly<Record<EmbeddingDtype, number>> = { F32: 4, F16: 2, BF16: 2 };

export const bytesPerElement = (dtype: EmbeddingDtype): number => BYTES_PER_ELEMENT[dtype];

export const isEmbeddingDtype = (dtype: string): dtype is EmbeddingDtype =>
  Object.hasOwn(BYTES_PER_ELEMENT, dtype);

/** Size in bytes of an embedding of this shape in memory. */
export const embeddingBytes = (rows: number, width: number, dtype: EmbeddingDtype): number =>
  rows * width * BYTES_PER_ELEMENT[dtype];

/**
 * The embedding as float32, row-major. An F32 embedding whose data is aligned is viewed, not copied;
 * the view shares its buffer, also when that is a SharedArrayBuffer.
 */
export function toFloat32(embedding: Embedding): Float32Array {
  const { data, dtype } = embedding;
  if (dtype === 'F32') return viewFloat32(data);
  return dtype === 'F16' ? widenF16(viewUint16(data)) : widenBF16(viewUint16(data));
}

/** Little-endian bytes of the values in the given type, rounded to nearest even. */
export function fromFloat32(values: Float32Array, dtype: EmbeddingDtype): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return dtype === 'F16' ? narrowF16(values) : narrowBF16(values);
}

function viewFloat32(data: Uint8Array): Float32Array {
  const aligned = data.byteOffset % 4 === 0 ? data : new Uint8Array(data);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

function viewUint16(data: Uint8Array): Uint16Array {
  const aligned = data.byteOffset % 2 === 0 ? data : new Uint8Array(data);
  return new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
}

/** A bfloat16 is the upper half of a float32. */
function widenBF16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let index = 0; index < halves.length; index += 1) bits[index] = halves[index]! << 16;
  return new Float32Array(bits.buffer);
}

function narrowBF16(values: Float32Array): Uint8Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const word = bits[index]!;
    const isNaN = (word & 0x7fff_ffff) > 0x7f80_0000;
    // Rounding could turn a NaN into an infinity: keep one payload bit instead.
    halves[index] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return new Uint8Array(halves.buffer);
}

/** One table lookup per value: 65,536 entries, built on first use. */
let widenedF16: Float32Array | undefined;

function widenF16(halves: Uint16Array): Float32Array {
  widenedF16 ??= new Float32Array(
    new Float16Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer),
  );
  const values = new Float32Array(halves.length);
  for (let index = 0; index < halves.length; index += 1)
    values[index] = widenedF16[halves[index]!]!;
  return values;
}

const narrowF16 = (values: Float32Array): Uint8Array =>
  new Uint8Array(new Float16Array(values).buffer);
