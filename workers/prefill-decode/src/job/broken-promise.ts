import type { JobError, Sampling } from '@epd/jobs';
import type { AnswerValidator } from '../constraint/answer-validator.ts';
import type { EngineEvent } from '../engine/index.ts';

export type Finished = Extract<EngineEvent, { type: 'finished' }>;

/**
 * Why answers violate their constraint; null: they follow it. An answer that `max_tokens`, or the
 * caller's stop string or stop token, truncated is not validated.
 */
export async function brokenPromise(
  { constraint }: Sampling,
  { choices }: Finished,
  validator: Pick<AnswerValidator, 'faultOf'>,
): Promise<JobError | null> {
  if (constraint === undefined) return null;
  for (const { text, finishReason, stoppedBy } of choices) {
    if (finishReason !== 'stop' || stoppedBy !== undefined) continue;
    const fault = await validator.faultOf(constraint, text);
    if (fault !== null) return broken(fault);
  }
  return null;
}

const broken = (fault: string): JobError => ({
  code: 'constraint_broken',
  message: `The answer does not follow its constraint: ${fault}`,
  stage: 'decode',
  item: null,
  retryable: true,
});
