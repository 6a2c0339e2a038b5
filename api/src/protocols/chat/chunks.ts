import type { Choice, Job, JobStore, SequencedEvent } from '@epd/jobs';
import { errorBody } from '../../http/errors.ts';
import { SSE_HEARTBEAT, sseEvent } from '../../http/sse.ts';
import { completionHead, finishReason } from './view.ts';
import { failureOf } from '../../core/jobs/job-failure.ts';
import { choiceLogprobs, completionUsage } from './openai-parts.ts';

export interface ChunkOptions {
  readonly jobs: JobStore;
  readonly job: Job;
  readonly events: AsyncIterable<SequencedEvent | null>;
  readonly includeUsage: boolean;
}

/** How a protocol shows the pieces of an answer. */
export interface ChunkShape {
  /** What every chunk carries. */
  readonly head: object;
  /** The choice that stands in a chunk before any text; null: there is no such chunk. */
  readonly opening: (index: number) => object | null;
  readonly piece: (event: TokensEvent) => object;
  readonly closing: (index: number, choice: Choice) => object;
}

type TokensEvent = Extract<SequencedEvent, { type: 'tokens' }>;

const DONE = 'data: [DONE]\n\n';

/** A job's events as the stream of `/v1/chat/completions`. */
export function chatChunks(options: ChunkOptions): AsyncGenerator<string> {
  const { job } = options;
  return completionChunks(options, {
    head: { ...completionHead(job), object: 'chat.completion.chunk' },
    opening: (index) => ({ index, delta: { role: 'assistant', content: '' }, finish_reason: null }),
    piece: (event) => deltaOf(event, job),
    closing: (index, choice) => ({ index, delta: {}, finish_reason: finishReason(choice) }),
  });
}

/** A job's events as OpenAI's stream of chunks, in the protocol's shape. */
export async function* completionChunks(
  { jobs, job, events, includeUsage }: ChunkOptions,
  shape: ChunkShape,
): AsyncGenerator<string> {
  const usage = includeUsage ? { usage: null } : {};
  const frame = (choice: object): string =>
    sseEvent({ ...shape.head, choices: [choice], ...usage });
  for (let index = 0; index < job.request.sampling.n; index++) {
    const opening = shape.opening(index);
    if (opening !== null) yield frame(opening);
  }
  for await (const event of events) {
    if (event === null) yield SSE_HEARTBEAT;
    else if (event.type === 'tokens') yield frame(shape.piece(event));
    else if (event.type === 'end')
      yield* ending(await jobs.get(job.id), frame, shape, includeUsage);
  }
}

function deltaOf({ choice: index, text, ids, logprobs }: TokensEvent, job: Job): object {
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
  { head, closing }: ChunkShape,
  includeUsage: boolean,
): Generator<string> {
  const failure = job === null ? null : failureOf(job);
  if (failure !== null) {
    const { code, statusCode, message, param } = failure;
    yield sseEvent(errorBody(code, statusCode, message, param));
    return;
  }
  for (const [index, choice] of (job?.ending?.choices ?? []).entries()) {
    yield frame(closing(index, choice));
  }
  if (includeUsage) {
    yield sseEvent({ ...head, choices: [], usage: completionUsage(job?.ending?.usage ?? null) });
  }
  yield DONE;
}
