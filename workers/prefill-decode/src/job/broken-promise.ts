import type { Choice, JobError, JobTools, Sampling } from '@epd/jobs';
import type { AnswerValidator } from '../constraint/answer-validator.ts';
import type { EngineEvent } from '../engine/index.ts';

export type Finished = Extract<EngineEvent, { type: 'finished' }>;

/**
 * Why answers violate their constraint; null: they follow it. An answer that `max_tokens`, or the
 * caller's stop string or stop token, truncated is not validated.
 */
export async function brokenPromise(
  { sampling, tools }: { readonly sampling: Sampling; readonly tools: JobTools | undefined },
  { choices }: Finished,
  validator: Pick<AnswerValidator, 'faultOf'>,
): Promise<JobError | null> {
  const { constraint } = sampling;
  if (constraint === undefined) return null;
  for (const choice of choices) {
    if (choice.finishReason !== 'stop' || choice.stoppedBy !== undefined) continue;
    const fault =
      (await validator.faultOf(constraint, choice.text)) ??
      (await faultOfCalls(choice, tools, validator));
    if (fault !== null) return broken(fault);
  }
  return null;
}

async function faultOfCalls(
  { output }: Choice,
  tools: JobTools | undefined,
  validator: Pick<AnswerValidator, 'faultOf'>,
): Promise<string | null> {
  for (const { name, arguments: text } of output?.toolCalls ?? []) {
    const schema = tools?.functions.find((one) => one.name === name)?.parameters;
    if (schema === undefined) return `it calls ${name}, which does not exist`;
    const fault = await validator.faultOf({ type: 'json', schema, ordered: false }, text);
    if (fault !== null) return `arguments of ${name}: ${fault}`;
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
