import type { ImageHit, IndexedImage } from '@epd/image-index';
import type { ScoredRow } from '../table/embedding-index.ts';
import type { ImageRow } from '../table/image-row.ts';

/** What leaves the worker of a row: not its vector, and nothing of the writer's. */
export const toImage = (row: Omit<ImageRow, 'vector'>): IndexedImage => ({
  id: row.id,
  model: row.model,
  mmHash: row.mmHash,
  sha256: row.sha256,
  mediaType: row.mediaType,
  bytes: row.bytes,
  width: row.width,
  height: row.height,
  createdAtMs: row.createdAtMs,
  metadata: row.metadata,
  jobs: row.jobs,
});

export const toHit = (row: ScoredRow): ImageHit => ({
  ...toImage(row),
  score: row.score,
});
