import type { Choice, Job, JobUsage, TokenLogprob } from '@epd/jobs';
import { notesOf, type ResponseNotes } from '../../core/jobs/api-notes.ts';
import type { OutputMessage, ResponseView } from './schema.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';
import { choiceLogprobs, idAs } from '../chat/openai-parts.ts';

const DEFAULT_NOTES: ResponseNotes = {
  instructions: null,
  previousResponseId: null,
  background: false,
  store: true,
  format: { type: 'text' },
  maxOutputTokens: null,
};

/** A job as the object of `/v1/responses`. `partial`: what a job without an answer has written. */
export function responseView(job: Job, partial: readonly Choice[] = []): ResponseView {
  const { request, ending } = job;
  const notes = responseNotes(job);
  const answer = ending?.choices[0] ?? (ending === null ? undefined : partial[0]);
  const status = responseStatus(job);
  return {
    id: idAs('resp_', job.id),
    object: 'response',
    created_at: unixSeconds(job.createdAtMs),
    completed_at: status === 'completed' ? unixSeconds(job.finishedAtMs ?? job.createdAtMs) : null,
    status,
    background: notes.background,
    error: responseError(job),
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: notes.instructions,
    max_output_tokens: notes.maxOutputTokens,
    metadata: { ...job.metadata },
    model: request.model,
    output: answer === undefined ? [] : [outputMessage(job, answer.text, answer.logprobs ?? [])],
    parallel_tool_calls: true,
    previous_response_id: notes.previousResponseId,
    store: notes.store,
    temperature: request.sampling.temperature,
    text: { format: { ...notes.format } },
    tool_choice: 'auto',
    tools: [],
    top_p: request.sampling.topP,
    truncation: 'disabled',
    usage: responseUsage(ending?.usage ?? null),
  };
}

export const responseNotes = (job: Job): ResponseNotes => notesOf(job).response ?? DEFAULT_NOTES;

export function outputMessage(
  job: Job,
  text: string,
  logprobs: readonly TokenLogprob[],
): OutputMessage {
  const complete = job.status === 'completed' && responseStatus(job) === 'completed';
  return {
    ...messageHead(job),
    status: complete ? 'completed' : 'incomplete',
    content: [outputText(text, logprobs)],
  };
}

export const messageHead = (job: Job) => ({
  id: idAs('msg_', job.id),
  type: 'message' as const,
  role: 'assistant' as const,
});

export const outputText = (text: string, logprobs: readonly TokenLogprob[]) => ({
  type: 'output_text' as const,
  text,
  annotations: [],
  logprobs: choiceLogprobs(logprobs).content,
});

/** OpenAI's states: an answer cut by its limit is `incomplete`, and there is no `expired`. */
function responseStatus({ status, ending }: Job): string {
  if (status === 'expired') return 'failed';
  if (status !== 'completed') return status;
  return ending?.choices[0]?.finishReason === 'length' ? 'incomplete' : 'completed';
}

/** What OpenAI calls the failures that a request has caused. */
const ERROR_CODES: Readonly<Record<string, string>> = {
  prompt_too_long: 'invalid_prompt',
  prompt_timeout: 'invalid_prompt',
  prompt_failed: 'invalid_prompt',
  invalid_request: 'invalid_prompt',
  image_broken: 'invalid_image',
  image_size_mismatch: 'invalid_image',
  image_unsupported: 'unsupported_image_media_type',
  image_too_large: 'image_too_large',
};

function responseError({ status, ending }: Job): ResponseView['error'] {
  if (status !== 'failed' && status !== 'expired') return null;
  const { code = '', message = 'The job failed' } = ending?.error ?? {};
  return { code: ERROR_CODES[code] ?? 'server_error', message };
}

function responseUsage(usage: JobUsage | null): ResponseView['usage'] {
  if (usage === null) return null;
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}
