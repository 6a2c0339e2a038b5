import type { Job, JobStore, SequencedEvent } from '@epd/jobs';
import { errorBody } from '../../http/errors.ts';
import { SSE_HEARTBEAT, sseEvent } from '../../http/sse.ts';
import { completionHead, finishReason } from './view.ts';
import { failureOf } from '../../core/jobs/job-failure.ts';
import { choiceLogprobs, completionUsage } from './openai-parts.ts';

interface ChunkOptions {
  readonly jobs: JobStore;
  readonly job: Job;
  readonly events: AsyncIterable<SequencedEvent | null>;
  readonly includeUsage: boolean;
}

const DONE = 'data: [DONE]\n\n';

/** A job's events as the stream of `/v1/chat/completions`. */
export async function* chatChunks({
  jobs,
  job,
  events,
  includeUsage,
}: ChunkOptions): AsyncGenerator<string> {
  const head = { ...completionHead(job), object: 'chat.completion.chunk' };
  const usage = includeUsage ? { usage: null } : {};
  const frame = (choice: object): string => sseEvent({ ...head, choices: [choice], ...usage });
  for (let index = 0; index < job.request.sampling.n; index++) {
    yield frame({ index, delta: { role: 'assistant', content: '' }, finish_reason: null });
  }
  for await (const event of events) {
    if (event === null) yield SSE_HEARTBEAT;
    else if (event.type === 'tokens') yield frame(deltaOf(event, job));
    else if (event.type === 'end') yield* ending(await jobs.get(job.id), frame, head, includeUsage);
  }
}

function deltaOf(event: Extract<SequencedEvent, { type: 'tokens' }>, job: Job): object {
  const { choice: index, text, ids, logprobs } = event;
  return {
    index,
    delta: { content: text },
    finish_reason: null,
    ...(logprobs === undefined ? {} : { logprobs: choiceLogprobs(logprobs) }),
    ...(job.request.returnTokenIds ? { token_ids: ids } : {}),
  };
}

function* ending(
  job: Job | null,
  frame: (choice: object) => string,
  head: object,
  includeUsage: boolean,
): Generator<string> {
  const failure = job === null ? null : failureOf(job);
  if (failure !== null) {
    const { code, statusCode, message, param } = failure;
    yield sseEvent(errorBody(code, statusCode, message, param));
    return;
  }
  for (const [index, choice] of (job?.ending?.choices ?? []).entries()) {
    yield frame({ index, delta: {}, finish_reason: finishReason(choice) });
  }
  if (includeUsage) {
    yield sseEvent({ ...head, choices: [], usage: completionUsage(job?.ending?.usage ?? null) });
  }
  yield DONE;
}
