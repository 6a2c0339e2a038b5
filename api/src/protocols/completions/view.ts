import type { Job, TokenLogprob } from '@epd/jobs';
import { completionUsage, idAs } from '../chat/openai-parts.ts';
import { completionHead, endOf } from '../chat/view.ts';
import type { Completion, CompletionLogprobs } from './schema.ts';

export const textCompletionHead = (job: Job) => ({
  ...completionHead(job),
  id: idAs('cmpl-', job.id),
  object: 'text_completion' as const,
});

/** A completed job as the answer of `/v1/completions`. */
export function textCompletion(job: Job): Completion {
  return {
    ...textCompletionHead(job),
    choices: (job.ending?.choices ?? []).map((choice, index) => ({
      index,
      text: choice.text,
      finish_reason: endOf(choice),
      logprobs: choice.logprobs === undefined ? null : textLogprobs(choice.logprobs, 0),
    })),
    usage: completionUsage(job),
  };
}

/** `offset`: characters of the answer before these tokens. */
export function textLogprobs(
  logprobs: readonly TokenLogprob[],
  offset: number,
): CompletionLogprobs {
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: offsetsOf(logprobs, offset),
  };
}

/** Of an answer of thousands of tokens: one running sum, not one for each token. */
function offsetsOf(logprobs: readonly TokenLogprob[], first: number): number[] {
  let next = first;
  return logprobs.map(({ token }) => {
    const offset = next;
    next += token.length;
    return offset;
  });
}
