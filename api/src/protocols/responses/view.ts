import type { Choice, Job, JobUsage } from '@epd/jobs';
import type { ResponseView } from './schema.ts';
import { failureMessage } from '../../core/jobs/job-failure.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';
import { idAs, reasoningTokens } from '../chat/openai-parts.ts';
import { outputItems } from './items.ts';
import { responseNotes } from './notes.ts';
import { outputItem } from './output-view.ts';

/** A job as the object of `/v1/responses`. `partial`: what a job without an answer has written. */
export function responseView(job: Job, partial: readonly Choice[] = []): ResponseView {
  const { ending } = job;
  const answer = ending?.choices[0] ?? (ending === null ? undefined : partial[0]);
  return responseWith(job, outputView(job, answer));
}

/** A job as a response with the given output. */
export function responseWith(job: Job, output: ResponseView['output']): ResponseView {
  const { request, ending } = job;
  const notes = responseNotes(job);
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
    output,
    parallel_tool_calls: request.tools?.parallel ?? true,
    previous_response_id: notes.previousResponseId,
    reasoning: { effort: notes.reasoningEffort ?? null, summary: null },
    store: notes.store,
    temperature: request.sampling.temperature,
    text: { format: { ...notes.format } },
    tool_choice: notes.toolChoice ?? 'auto',
    tools: toolsView(job),
    top_p: request.sampling.topP,
    truncation: 'disabled',
    usage: responseUsage(job, ending?.usage ?? null),
  };
}

/** What is cut short is the last item: those before it are whole. */
function outputView(job: Job, answer: Choice | undefined): ResponseView['output'] {
  const items = outputItems(job, answer);
  const isWhole = responseStatus(job) === 'completed';
  return items.map((item, index) => {
    const status = isWhole || index < items.length - 1 ? 'completed' : 'incomplete';
    return outputItem(job, item, { status, logprobs: answer?.logprobs ?? [] });
  });
}

/** Those that could be called: with `tool_choice: none` there are none. */
const toolsView = ({ request }: Job): unknown[] =>
  (request.tools?.functions ?? []).map(({ name, description = null, parameters }) => ({
    type: 'function',
    name,
    description,
    parameters,
    strict: true,
  }));

/** OpenAI's states: an answer cut by its limit is `incomplete`, and there is no `expired`. */
export function responseStatus({ status, ending }: Job): string {
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

function responseError(job: Job): ResponseView['error'] {
  const { status, ending } = job;
  if (status !== 'failed' && status !== 'expired') return null;
  const code = ERROR_CODES[ending?.error?.code ?? ''] ?? 'server_error';
  return { code, message: failureMessage(job) };
}

function responseUsage(job: Job, usage: JobUsage | null): ResponseView['usage'] {
  if (usage === null) return null;
  return {
    input_tokens: usage.promptTokens,
    // Nothing is charged for what the cache keeps, so nobody counts it.
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens(job) },
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}
