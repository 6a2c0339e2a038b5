/** Element types that caches, embeddings and logits come in. */
export type FloatType = 'float32' | 'float16';
export type FloatArray = Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>;

export function floatArray(type: FloatType, length: number): FloatArray {
  return type === 'float16' ? new Float16Array(length) : new Float32Array(length);
}

const EXPONENT = { float16: 0x7c00, float32: 0x7f80_0000 };

/** Whether all elements are numbers: an infinite one, or none, has every bit of its exponent set. */
export function isFinite(array: FloatArray): boolean {
  const { buffer, byteOffset, length } = array;
  const half = array instanceof Float16Array;
  const bits = new (half ? Uint16Array : Uint32Array)(buffer, byteOffset, length);
  const exponent = half ? EXPONENT.float16 : EXPONENT.float32;
  for (let at = 0; at < length; at++) {
    if (((bits[at] as number) & exponent) === exponent) return false;
  }
  return true;
}

export const bytesPerElement = (type: FloatType): number => (type === 'float16' ? 2 : 4);
