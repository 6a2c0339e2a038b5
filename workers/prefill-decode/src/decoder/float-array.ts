/** Element types that caches, embeddings and logits come in. */
export type FloatType = 'float32' | 'float16';
export type FloatArray = Float32Array<ArrayBuffer> | Float16Array<ArrayBuffer>;

export function floatArray(type: FloatType, length: number): FloatArray {
  return type === 'float16' ? new Float16Array(length) : new Float32Array(length);
}

export const bytesPerElement = (type: FloatType): number => (type === 'float16' ? 2 : 4);
