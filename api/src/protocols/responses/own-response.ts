import type { Job, JobStore } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../../core/auth/tenant.ts';

const RESPONSE_ID = /^resp_[0-9a-f]{32}$/;

/** The job behind a tenant's own response. Throws `response_not_found`. */
export async function ownResponse(jobs: JobStore, id: string, tenant: Tenant): Promise<Job> {
  const job = RESPONSE_ID.test(id) ? await jobs.get(id.replace('resp_', 'job_')) : null;
  if (job !== null && job.tenant === tenant.id) return job;
  throw new ApiError(
    'response_not_found',
    `No response ${JSON.stringify(id.slice(0, 80))}: unknown, deleted or forgotten`,
  );
}

/**
 * The response that another goes on from. Throws `response_not_found`, and `invalid_value` for one without an
 * answer: it has not ended, or has failed.
 */
export async function answeredResponse(jobs: JobStore, id: string, tenant: Tenant): Promise<Job> {
  const job = await ownResponse(jobs, id, tenant);
  if (job.ending !== null && job.ending.choices.length > 0) return job;
  const message = `previous_response_id: expected a response with an answer, got one that is ${job.status}`;
  throw new ApiError('invalid_value', message, { param: 'previous_response_id' });
}
