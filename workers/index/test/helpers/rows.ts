import { imageId } from '@epd/image-index';
import { createHash } from 'node:crypto';
import type { ImageRow } from '../../src/table/image-row.ts';

export const WIDTH = 16;

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex');

/** A unit vector at an angle, in degrees, from the first axis towards the second. */
export function at(degrees: number, width = WIDTH): Float32Array {
  const vector = new Float32Array(width);
  vector[0] = Math.cos((degrees * Math.PI) / 180);
  vector[1] = Math.sin((degrees * Math.PI) / 180);
  return vector;
}

/** A row of an image that is called by a name. */
export function rowOf(name: string, changed: Partial<ImageRow> = {}): ImageRow {
  const tenant = changed.tenant ?? 'acme';
  const mmHash = changed.mmHash ?? hashOf(name);
  return {
    id: imageId(tenant, mmHash),
    tenant,
    model: 'tiny',
    mmHash,
    sha256: hashOf(`${name} picture`),
    mediaType: 'image/png',
    bytes: 1_000,
    width: 64,
    height: 48,
    createdAtMs: 1_000,
    deletedAtMs: 0,
    metadata: {},
    jobs: [],
    rev: 1,
    vector: at(0),
    ...changed,
  };
}
