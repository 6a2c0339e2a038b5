import { fromFloat32, mmHash, sha256Hex } from '../../src/index.ts';
import type { Embedding, EmbeddingDtype, EmbeddingSpec } from '../../src/index.ts';

export const FINGERPRINT = sha256Hex(Buffer.from('a model'));

export const hashOf = (name: string): string =>
  mmHash({
    tenant: '',
    modality: 'image',
    fingerprint: FINGERPRINT,
    processing: {},
    contentSha256: sha256Hex(Buffer.from(name)),
  });

export function embeddingOf(
  name: string,
  rows = 4,
  width = 8,
  dtype: EmbeddingDtype = 'F32',
): Embedding {
  const seed = name.length + name.charCodeAt(0);
  const values = Float32Array.from({ length: rows * width }, (_, index) => index / 2 + seed);
  return { rows, width, dtype, data: fromFloat32(values, dtype) };
}

export const specOf = (name: string, rows = 4, width = 8): EmbeddingSpec => ({
  mmHash: hashOf(name),
  fingerprint: FINGERPRINT,
  rows,
  width,
});
