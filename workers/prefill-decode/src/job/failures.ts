import type { JobError } from '@epd/jobs';
import { ModelError } from '@epd/model';
import { ConstraintServiceError } from '../constraint/errors.ts';
import { EngineError } from '../engine/index.ts';
import { PromptFailedError } from '../prompt/errors.ts';

/** Workers that may be lost with a job before it counts as the cause. */
export const LOSSES_MAX = 5;

export const WORKER_LOST: JobError = {
  code: 'worker_lost',
  message: `Failed after ${LOSSES_MAX} attempts that a worker, or its engine, did not survive`,
  stage: 'prefill',
  item: null,
  retryable: true,
};

export const MODEL_CHANGED: JobError = {
  code: 'model_changed',
  message: 'No worker is left with the version of the model that the job needs; submit it again',
  stage: 'prefill',
  item: null,
  retryable: true,
};

/**
 * Failures that are not the job's fault. The engine is full or closing, or another job's constraint
 * took down its masks: another worker, or this one later, can serve it. The engine failed while it
 * had the job, or the thread that makes its token masks died: the job may be the cause, so that
 * counts as a loss.
 */
const OUR_FAULTS: ReadonlyMap<string, 'refused' | 'broken'> = new Map([
  ['engine_full', 'refused'],
  ['engine_closed', 'refused'],
  ['constraint_replaced', 'refused'],
  ['constraint_lost', 'broken'],
  ['runner_lost', 'broken'],
  ['step_failed', 'broken'],
]);

/** How a job is released for a failure with this code; null: the failure is the job's own. */
export const releaseFor = (code: string): 'refused' | 'broken' | null =>
  OUR_FAULTS.get(code) ?? null;

/**
 * A request that this model cannot take fails the job; null: the fault is ours, and BullMQ retries.
 */
export function asJobError(error: unknown): JobError | null {
  if (!isCoded(error)) return null;
  const { code, message } = error;
  return { code, message, stage: 'prefill', item: null, retryable: false };
}

const isCoded = (
  error: unknown,
): error is EngineError | ModelError | PromptFailedError | ConstraintServiceError =>
  error instanceof EngineError ||
  error instanceof ModelError ||
  error instanceof PromptFailedError ||
  error instanceof ConstraintServiceError;
