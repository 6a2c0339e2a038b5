import type { Job, JobStore } from '@epd/jobs';
import type { FastifyRequest } from 'fastify';
import { notesOf } from '../../core/jobs/api-notes.ts';
import { mayComeAgain } from '../../http/idempotency.ts';

/**
 * What was asked for with `store: false` goes with its answer, however that came and whatever it was, unless the same
 * request may come again for it. A job that runs on, for this server stops, is kept: another may be asked for it.
 */
export async function forgetUnstored(
  jobs: JobStore,
  job: Job,
  request: FastifyRequest,
): Promise<void> {
  if (notesOf(job).response?.store !== false || mayComeAgain(request)) return;
  const latest = await jobs.get(job.id);
  if (latest !== null && latest.ending !== null) await jobs.forget(job);
}
