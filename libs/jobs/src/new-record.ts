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

/** The other fields of a record that are known before it is written, as names and values. */
export function recordFields(job: NewJob): string[] {
  const fields = ['v', String(RECORD_VERSION)];
  const { images } = job.request;
  if (images.length > 0) {
    const items = Object.fromEntries(images.map(({ mmHash }, index) => [mmHash, index]));
    fields.push('items', JSON.stringify(items));
  }
  if (job.metadata !== undefined) fields.push('metadata', JSON.stringify(job.metadata));
  if (job.webhook !== undefined) fields.push('webhook', JSON.stringify(job.webhook));
  return fields;
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
