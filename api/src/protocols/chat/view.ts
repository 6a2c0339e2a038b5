import type { Choice, Job } from '@epd/jobs';
import type { ChatCompletion } from './schema.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';
import { choiceLogprobs, completionUsage, idAs, systemFingerprint } from './openai-parts.ts';

/** A completed job as the answer of `/v1/chat/completions`. */
export function chatCompletion(job: Job): ChatCompletion {
  return {
    ...completionHead(job),
    object: 'chat.completion',
    choices: (job.ending?.choices ?? []).map((choice, index) =>
      choiceView(choice, index, job.request.returnTokenIds),
    ),
    usage: completionUsage(job.ending?.usage ?? null),
  };
}

export const completionHead = (job: Job) => ({
  id: idAs('chatcmpl-', job.id),
  created: unixSeconds(job.createdAtMs),
  model: job.request.model,
  system_fingerprint: systemFingerprint(job),
});

/** OpenAI's clients know no other reasons than these. */
export const finishReason = ({ finishReason: reason }: Choice): 'stop' | 'length' | null =>
  reason === 'length' ? 'length' : reason === null ? null : 'stop';

const choiceView = (
  choice: Choice,
  index: number,
  withIds: boolean,
): ChatCompletion['choices'][number] => ({
  index,
  message: { role: 'assistant', content: choice.text, refusal: null },
  finish_reason: finishReason(choice),
  logprobs: choice.logprobs === undefined ? null : choiceLogprobs(choice.logprobs),
  ...(withIds ? { token_ids: [...choice.tokenIds] } : {}),
});
