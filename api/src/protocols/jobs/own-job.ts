import type { Job, JobStore } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../../core/auth/tenant.ts';

const JOB_ID = /^job_[0-9a-f]{32}$/;

/** A tenant's own job. Another's is as unknown as one that never was. */
export async function ownJob(jobs: JobStore, id: string, tenant: Tenant): Promise<Job> {
  const job = JOB_ID.test(id) ? await jobs.get(id) : null;
  if (job !== null && job.tenant === tenant.id) return job;
  throw notFound(id);
}

/** The same, for a caller that needs nothing of the record. */
export async function checkOwnJob(jobs: JobStore, id: string, tenant: Tenant): Promise<void> {
  const owner = JOB_ID.test(id) ? await jobs.tenantOf(id) : null;
  if (owner !== tenant.id) throw notFound(id);
}

const notFound = (id: string): ApiError =>
  new ApiError(
    'job_not_found',
    `No job ${JSON.stringify(id.slice(0, 80))}: unknown, deleted or forgotten`,
  );
