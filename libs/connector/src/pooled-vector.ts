import { toFloat32 } from './dtype.ts';
import type { Embedding } from './embedding.ts';

/**
 * A vector of length zero has no direction; below this length, rounding errors would determine it.
 */
const LEAST_LENGTH = 1e-12;

/**
 * One vector for an image: the mean of its rows, L2-normalised, of 16-bit precision, so that it is
 * the same whether it came with an event or was computed from the rows later. Null when the rows
 * cancel out.
 */
export function pooledVector(embedding: Embedding): Float32Array | null {
  const { rows, width } = embedding;
  const values = toFloat32(embedding);
  const sum = new Float64Array(width);
  for (let row = 0; row < rows; row += 1) {
    const start = row * width;
    for (let i = 0; i < width; i += 1) sum[i]! += values[start + i]!;
  }
  const length = Math.hypot(...sum);
  if (!(length > LEAST_LENGTH)) return null;
  return Float32Array.from(Float16Array.from(sum, (value) => value / length));
}

/** Base64 of 16-bit floats, little endian. */
export const vectorToText = (vector: Float32Array): string =>
  Buffer.from(Float16Array.from(vector).buffer).toString('base64');

/** Null for a text that encodes no such vector, or one with a value that is not finite. */
export function vectorFromText(text: string): Float32Array | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % Float16Array.BYTES_PER_ELEMENT !== 0) return null;
  const vector = Float32Array.from(new Float16Array(Uint8Array.from(bytes).buffer));
  return vector.every(Number.isFinite) ? vector : null;
}
