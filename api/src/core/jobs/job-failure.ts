import type { Job, JobError } from '@epd/jobs';
import { ApiError, type ApiErrorCode } from '../../http/errors.ts';

/** Failures of a job that its request caused, by error code. */
const CALLERS: Readonly<Record<string, ApiErrorCode>> = {
  prompt_too_long: 'context_length_exceeded',
  prompt_timeout: 'context_length_exceeded',
  prompt_failed: 'context_length_exceeded',
  invalid_request: 'invalid_value',
  json_schema_unsupported: 'unsupported_parameter',
  image_broken: 'invalid_image',
  image_size_mismatch: 'invalid_image',
  image_unsupported: 'unsupported_image_type',
  image_too_large: 'image_too_many_pixels',
};

/** Null: the job has an answer. Otherwise the error for a caller that waits for one. */
export function failureOf(job: Job): ApiError | null {
  const { status, ending } = job;
  if (status === 'failed') return failed(ending?.error ?? null, failureMessage(job));
  if (status === 'cancelled') return new ApiError('job_cancelled', 'The job was cancelled');
  if (status !== 'expired') return null;
  return new ApiError('job_expired', ending?.error?.message ?? 'The job did not finish in time');
}

/** What went wrong, with the picture that it went wrong with where the request has several. */
export function failureMessage({ request, ending }: Job): string {
  const { message = 'The job failed', item = null } = ending?.error ?? {};
  const { length } = request.images;
  return item === null || length < 2 ? message : `Picture ${item + 1} of ${length}: ${message}`;
}

function failed(error: JobError | null, message: string): ApiError {
  const callers = CALLERS[error?.code ?? ''];
  if (callers !== undefined) return new ApiError(callers, message, { param: 'messages' });
  if (error?.retryable === true) return new ApiError('unavailable', message, { retryAfterS: 1 });
  return new ApiError('job_failed', message);
}
