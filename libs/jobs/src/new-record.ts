import type { Job } from './job.ts';
import type { NewJob } from './job-store.ts';

/**
 * Version of a record's content; a worker leaves records of a version that it does not know to
 * other workers.
 */
export const RECORD_VERSION = 1;

/** The request as the script takes it, which adds the deadlines by the server's clock. */
export function requestJson({ request }: NewJob): string {
  return JSON.stringify({ ...request, startByMs: undefined, endByMs: undefined });
}

/** The other fields of a record that are known before it is written. */
export function recordFields({ request, metadata, webhook }: NewJob): Record<string, string> {
  const items = Object.fromEntries(request.images.map(({ mmHash }, index) => [mmHash, index]));
  return {
    v: String(RECORD_VERSION),
    ...(request.images.length > 0 && { items: JSON.stringify(items) }),
    ...(metadata !== undefined && { metadata: JSON.stringify(metadata) }),
    ...(webhook !== undefined && { webhook: JSON.stringify(webhook) }),
  };
}

/**
 * The job as it will be read once it is written. `aheadMs`: the server's clock over the sender's.
 */
export function writtenJob(
  { id, tenant, request, metadata = {}, webhook }: NewJob,
  createdAtMs: number,
  aheadMs: number,
): Job {
  const shift = (ms: number | null): number | null => (ms === null ? null : ms + aheadMs);
  return {
    id,
    tenant,
    status: 'queued',
    createdAtMs,
    startedAtMs: null,
    begunAtMs: null,
    finishedAtMs: null,
    metadata,
    request: { ...request, startByMs: shift(request.startByMs), endByMs: shift(request.endByMs) },
    stage: 'queued',
    imageNotes: [],
    ending: null,
    webhook: webhook ?? null,
  };
}
