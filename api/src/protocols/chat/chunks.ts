import type { Choice, Job, JobStore, OutputDelta, SequencedEvent } from '@epd/jobs';
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
  /** The pieces in which what tokens let out is shown. */
  readonly pieces: (event: TokensEvent) => readonly object[];
  readonly closing: (index: number, choice: Choice) => object;
}

type TokensEvent = Extract<SequencedEvent, { type: 'tokens' }>;
type ToolCallDelta = Extract<OutputDelta, { type: 'tool_call' }>;

const DONE = 'data: [DONE]\n\n';

/** A job's events as the stream of `/v1/chat/completions`. */
export function chatChunks(options: ChunkOptions): AsyncGenerator<string> {
  const { job } = options;
  return completionChunks(options, {
    head: { ...completionHead(job), object: 'chat.completion.chunk' },
    opening: (index) => ({ index, delta: { role: 'assistant', content: '' }, finish_reason: null }),
    pieces: (event) => piecesOf(event, job),
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
    else if (event.type === 'tokens') yield* shape.pieces(event).map(frame);
    else if (event.type === 'end')
      yield* ending(await jobs.get(job.id), frame, shape, includeUsage);
  }
}

/** Several where text is of several kinds; the first has the tokens' log probabilities. */
function piecesOf({ choice: index, ids, logprobs, ...event }: TokensEvent, job: Job): object[] {
  const told = {
    ...(logprobs === undefined ? {} : { logprobs: choiceLogprobs(logprobs) }),
    ...(job.request.returnTokenIds ? { token_ids: ids } : {}),
  };
  const deltas = deltasOf(event);
  if (deltas.length === 0 && Object.keys(told).length > 0) deltas.push({});
  return deltas.map((delta, at) =>
    Object.assign({ index, delta, finish_reason: null }, at === 0 ? told : null),
  );
}

function deltasOf({ text, deltas }: Pick<TokensEvent, 'text' | 'deltas'>): object[] {
  if (deltas === undefined) return [{ content: text }];
  return deltas.map((delta) => {
    if (delta.type === 'tool_call') return { tool_calls: [callDelta(delta)] };
    return delta.type === 'content' ? { content: delta.text } : { reasoning_content: delta.text };
  });
}

const callDelta = ({ index, id, name, arguments: text }: ToolCallDelta): object => ({
  index,
  ...(id === undefined ? {} : { id, type: 'function' }),
  function: { ...(name === undefined ? {} : { name }), arguments: text },
});

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
    yield sseEvent({ ...head, choices: [], usage: completionUsage(job) });
  }
  yield DONE;
}
