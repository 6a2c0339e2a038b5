import { randomFillSync } from 'node:crypto';
import { mmHash, sha256Hex, type Embedding, type EmbeddingSpec } from '@epd/connector';

export const FINGERPRINT = sha256Hex(Buffer.from('bench'));
const WIDTH = 576;

/** By name: rows of an embedding of about that size. */
export const SIZES: Readonly<Record<string, number>> = { '150 KB': 64, '1 MB': 455, '16 MB': 7281 };

export function embeddingOf(rows: number): Embedding {
  const data = randomFillSync(new Uint8Array(rows * WIDTH * 4));
  return { rows, width: WIDTH, dtype: 'F32', data };
}

let made = 0;

/** A key that was never used. */
export function freshSpec(rows: number): EmbeddingSpec {
  made += 1;
  const contentSha256 = sha256Hex(Buffer.from(`${process.pid} ${made}`));
  const hash = mmHash({
    tenant: '',
    modality: 'image',
    fingerprint: FINGERPRINT,
    processing: {},
    contentSha256,
  });
  return { mmHash: hash, fingerprint: FINGERPRINT, rows, width: WIDTH };
}
