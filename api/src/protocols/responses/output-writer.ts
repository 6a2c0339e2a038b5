import type { Job, OutputDelta, SequencedEvent, TokenLogprob } from '@epd/jobs';
import { choiceLogprobs } from '../chat/openai-parts.ts';
import type { OutputItem } from './item-schema.ts';
import { callId, messageId, reasoningId, type Item } from './items.ts';
import { OutputStream } from './output-stream.ts';
import { responseStatus } from './view.ts';

export interface ResponseEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

type ToolCallDelta = Extract<OutputDelta, { type: 'tool_call' }>;

/**
 * The items of an answer and their events, from the pieces in which it comes.
 *
 *   absent ──first piece──▶ open ──next call, or the answer's end──▶ done
 *
 * There is one item of reasoning, one message, and one for each call. A message stays open beside calls, for
 * more of it may come behind them; reasoning is done with the first piece of anything else. What was written
 * last is the item that an answer cut short leaves incomplete.
 */
export class OutputWriter {
  readonly #job: Job;
  readonly #streams: OutputStream[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  /** Of tokens that showed no content yet. */
  #pending: TokenLogprob[] = [];
  #last: OutputStream | null = null;

  constructor(job: Job) {
    this.#job = job;
  }

  /** As far as they are done. */
  get items(): OutputItem[] {
    return this.#streams.flatMap(({ done }) => (done === null ? [] : [done]));
  }

  *write(event: Extract<SequencedEvent, { type: 'tokens' }>): Generator<ResponseEvent> {
    const { text, deltas = [{ type: 'content', text }], logprobs = [] } = event;
    this.#logprobs.push(...logprobs);
    this.#pending.push(...logprobs);
    for (const delta of deltas) {
      if (delta.type === 'tool_call') yield* this.#call(delta);
      else if (delta.type === 'content') yield* this.#content(delta.text);
      else yield* this.#reasoning(delta.text);
    }
  }

  *end(job: Job): Generator<ResponseEvent> {
    if (job.status === 'completed' && this.#streams.length === 0) {
      yield* this.#stream(this.#message(''));
    }
    const isWhole = responseStatus(job) === 'completed';
    for (const stream of this.#streams) {
      const status = isWhole || stream !== this.#last ? 'completed' : 'incomplete';
      yield* stream.end(status, this.#logprobs);
    }
  }

  *#content(text: string): Generator<ResponseEvent> {
    const stream = yield* this.#stream(this.#message(''));
    const logprobs = choiceLogprobs(this.#pending).content;
    this.#pending = [];
    yield stream.delta(text, { logprobs });
  }

  *#reasoning(text: string): Generator<ResponseEvent> {
    const message = { role: 'assistant' as const, reasoning_content: '' };
    const stream = yield* this.#stream({
      id: reasoningId(this.#job),
      kind: 'reasoning',
      message,
    });
    yield stream.delta(text);
  }

  *#call({ index, id = '', name = '', arguments: text }: ToolCallDelta): Generator<ResponseEvent> {
    const call = { id, type: 'function' as const, function: { name, arguments: '' } };
    const stream = yield* this.#stream({
      id: callId(this.#job, index),
      kind: 'function_call',
      message: { role: 'assistant', tool_calls: [call] },
    });
    if (text !== '') yield stream.delta(text);
  }

  #message(content: string): Item {
    return {
      id: messageId(this.#job),
      kind: 'message',
      message: { role: 'assistant', content },
    };
  }

  /** The stream of an item, which is opened where it is not yet, and others done that this one ends. */
  *#stream(item: Item): Generator<ResponseEvent, OutputStream> {
    const open = this.#streams.find(({ id }) => id === item.id);
    if (open !== undefined) return (this.#last = open);
    for (const stream of this.#streams) {
      if (!stream.isMessage) yield* stream.end('completed', []);
    }
    const stream = new OutputStream(this.#job, item, this.#streams.length);
    this.#streams.push(stream);
    this.#last = stream;
    yield* stream.begin();
    return stream;
  }
}
