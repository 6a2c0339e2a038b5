import type { Job, JobStore } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Submission } from './submission.ts';

/**
 * The job that a submission's Idempotency-Key has made before, if it is kept. Checked before
 * anything else: an accepted job is found even if its pictures, its model or the capacity for it no
 * longer exist. Throws `idempotency_conflict`.
 */
export async function earlierJob(
  jobs: Pick<JobStore, 'earlier'>,
  { tenant, idempotency }: Pick<Submission, 'tenant' | 'idempotency'>,
): Promise<Job | null> {
  if (idempotency === undefined) return null;
  const earlier = await jobs.earlier(tenant.id, idempotency);
  if (earlier?.outcome === 'conflict') throw keyConflict();
  return earlier?.job ?? null;
}

export const keyConflict = (): ApiError =>
  new ApiError('idempotency_conflict', 'This Idempotency-Key was used before with another body');
