import type { Choice, Job, ToolCall } from '@epd/jobs';
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
    usage: completionUsage(job),
  };
}

export const completionHead = (job: Job) => ({
  id: idAs('chatcmpl-', job.id),
  created: unixSeconds(job.createdAtMs),
  model: job.request.model,
  system_fingerprint: systemFingerprint(job),
});

/** OpenAI's clients know no other reasons than these, and that of calls. */
export const endOf = ({ finishReason: reason }: Choice): 'stop' | 'length' | null =>
  reason === 'length' || reason === null ? reason : 'stop';

export function finishReason(choice: Choice): 'stop' | 'length' | 'tool_calls' | null {
  const end = endOf(choice);
  const calls = choice.output?.toolCalls.length ?? 0;
  return end === 'stop' && calls > 0 ? 'tool_calls' : end;
}

/** An answer that is nothing but calls has no content. */
function messageParts({ text, output }: Choice) {
  if (output === undefined) return { content: text };
  const { content, reasoning, toolCalls } = output;
  return {
    content: content === '' && toolCalls.length > 0 ? null : content,
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls.map(toolCallView) }),
  };
}

const toolCallView = ({ id, name, arguments: text }: ToolCall) => ({
  id,
  type: 'function' as const,
  function: { name, arguments: text },
});

const choiceView = (
  choice: Choice,
  index: number,
  withIds: boolean,
): ChatCompletion['choices'][number] => ({
  index,
  message: { role: 'assistant', ...messageParts(choice), refusal: null },
  finish_reason: finishReason(choice),
  logprobs: choice.logprobs === undefined ? null : choiceLogprobs(choice.logprobs),
  ...(withIds ? { token_ids: [...choice.tokenIds] } : {}),
});
