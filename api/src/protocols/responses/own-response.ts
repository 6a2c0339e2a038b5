import type { Job, JobStore } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { Tenant } from '../../core/auth/tenant.ts';

const RESPONSE_ID = /^resp_[0-9a-f]{32}$/;

/** The job behind a tenant's own response; null: there is none. */
export async function findResponse(
  jobs: JobStore,
  id: string,
  tenant: Tenant,
): Promise<Job | null> {
  const job = RESPONSE_ID.test(id) ? await jobs.get(id.replace('resp_', 'job_')) : null;
  return job?.tenant === tenant.id ? job : null;
}

/** Throws `response_not_found`. `param`: the field that named it, where one did. */
export async function ownResponse(
  jobs: JobStore,
  id: string,
  tenant: Tenant,
  param?: string,
): Promise<Job> {
  const job = await findResponse(jobs, id, tenant);
  if (job !== null) return job;
  const message = `No response ${JSON.stringify(id.slice(0, 80))}: unknown, deleted or forgotten`;
  if (param === undefined) throw new ApiError('response_not_found', message);
  throw new ApiError('response_not_found', `${param}: ${message}`, { param });
}

/**
 * The response that another continues. Throws `response_not_found`, and `invalid_value` for one without an
 * answer: it has not ended, or has failed.
 */
export async function answeredResponse(jobs: JobStore, id: string, tenant: Tenant): Promise<Job> {
  const param = 'previous_response_id';
  const job = await ownResponse(jobs, id, tenant, param);
  if (job.ending !== null && job.ending.choices.length > 0) return job;
  const message = `${param}: expected a response with an answer, got one that is ${job.status}`;
  throw new ApiError('invalid_value', message, { param });
}
