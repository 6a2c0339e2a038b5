import { createHash } from 'node:crypto';
import type { IndexedImage } from '@epd/image-index';

/**
 * A row of the index: one image of one tenant under one model. A row that its tenant deleted stays as a
 * mark, without metadata and jobs, until its embedding is deleted too: so that replays do not restore it.
 */
export interface ImageRow extends IndexedImage {
  readonly tenant: string;
  /** 0: it exists. */
  readonly deletedAtMs: number;
  /** Grows with every change; a write that another overtook is dropped. */
  readonly rev: number;
  /** Pooled and L2-normalised. */
  readonly vector: Float32Array;
}

const TAG_DIGITS = 16;

/**
 * What a row is found by for one pair of its metadata: a digest, so that no text of a caller ever becomes
 * part of a query. 64 bits: two pairs of one tenant that collide would both be found, in a case that is
 * not to be expected.
 */
export const metadataTag = (key: string, value: string): string =>
  createHash('sha256')
    .update(JSON.stringify([key, value]))
    .digest('hex')
    .slice(0, TAG_DIGITS);

export const tagsOf = ({ metadata }: Pick<ImageRow, 'metadata'>): string[] =>
  Object.entries(metadata).map(([key, value]) => metadataTag(key, value));
