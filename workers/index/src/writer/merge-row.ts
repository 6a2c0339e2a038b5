import { MAX_JOBS } from '@epd/image-index';
import type { ImageRow } from '../table/image-row.ts';
import type { Sighting } from './sighting.ts';

/**
 * The row after a sighting, or the same object when it adds nothing new: the same sighting again, or in
 * another order, ends in the same row. A key of the metadata that is there stays, for its tenant may have
 * changed it since.
 */
export function mergeRow(
  row: ImageRow | undefined,
  sighting: Sighting,
  vector: Float32Array,
): ImageRow {
  if (row === undefined) return newRow(sighting, vector, 1);
  if (row.deletedAtMs > 0) return revived(row, sighting, vector);
  const { jobId, atMs } = sighting;
  const isNewJob = jobId !== null && !row.jobs.includes(jobId);
  if (!isNewJob && atMs >= row.createdAtMs) return row;
  return {
    ...row,
    createdAtMs: Math.min(row.createdAtMs, atMs),
    jobs: isNewJob ? [jobId, ...row.jobs].slice(0, MAX_JOBS) : row.jobs,
    metadata: isNewJob ? { ...sighting.metadata, ...row.metadata } : row.metadata,
    rev: row.rev + 1,
  };
}

/** The row as its tenant's deletion leaves it: without anything about the picture. */
export function deletedRow(row: ImageRow, atMs: number): ImageRow {
  const vector = new Float32Array(row.vector.length);
  vector[0] = 1;
  return { ...row, metadata: {}, jobs: [], vector, deletedAtMs: atMs, rev: row.rev + 1 };
}

/** Only a caller who sends the picture again brings it back. */
function revived(row: ImageRow, sighting: Sighting, vector: Float32Array): ImageRow {
  if (sighting.jobId === null || sighting.atMs <= row.deletedAtMs) return row;
  return newRow(sighting, vector, row.rev + 1);
}

function newRow(sighting: Sighting, vector: Float32Array, rev: number): ImageRow {
  const { id, tenant, model, mmHash, input, atMs, jobId, metadata } = sighting;
  return {
    id,
    tenant,
    model,
    mmHash,
    sha256: input.sha256,
    mediaType: input.mediaType,
    bytes: input.bytes,
    width: input.width,
    height: input.height,
    createdAtMs: atMs,
    deletedAtMs: 0,
    metadata,
    jobs: jobId === null ? [] : [jobId],
    rev,
    vector,
  };
}
