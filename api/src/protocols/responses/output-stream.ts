import type { Job, TokenLogprob } from '@epd/jobs';
import type { OutputItem } from './item-schema.ts';
import type { Item } from './items.ts';
import { outputItem, reasoningPart, textPart, type ItemStatus } from './output-view.ts';
import type { ResponseEvent } from './output-writer.ts';

const DELTAS = {
  message: 'response.output_text',
  reasoning: 'response.reasoning_text',
  function_call: 'response.function_call_arguments',
} as const;

/** The events of one item of an answer: it is added, written piece by piece, and done, once. */
export class OutputStream {
  readonly #job: Job;
  readonly #item: Item;
  readonly #kind: keyof typeof DELTAS;
  readonly #outputIndex: number;
  #text = '';
  #done: OutputItem | null = null;

  constructor(job: Job, item: Item, outputIndex: number) {
    this.#job = job;
    this.#item = item;
    this.#kind = item.kind === 'function_call_output' ? 'message' : item.kind;
    this.#outputIndex = outputIndex;
  }

  get id(): string {
    return this.#item.id;
  }

  get isMessage(): boolean {
    return this.#kind === 'message';
  }

  /** The item as it ended; null: it has not. */
  get done(): OutputItem | null {
    return this.#done;
  }

  *begin(): Generator<ResponseEvent> {
    const item = this.#view('in_progress', []);
    const empty = 'content' in item ? { ...item, content: [] } : item;
    yield { type: 'response.output_item.added', output_index: this.#outputIndex, item: empty };
    if (this.#kind === 'function_call') return;
    yield { type: 'response.content_part.added', ...this.#place, part: this.#part([]) };
  }

  delta(text: string, more: object = {}): ResponseEvent {
    this.#text += text;
    return { type: `${DELTAS[this.#kind]}.delta`, ...this.#place, delta: text, ...more };
  }

  *end(status: ItemStatus, logprobs: readonly TokenLogprob[]): Generator<ResponseEvent> {
    if (this.#done !== null) return;
    this.#done = this.#view(status, logprobs);
    yield { type: `${DELTAS[this.#kind]}.done`, ...this.#place, ...this.#whole(logprobs) };
    if (this.#kind !== 'function_call') {
      yield { type: 'response.content_part.done', ...this.#place, part: this.#part(logprobs) };
    }
    const item = this.#done;
    yield { type: 'response.output_item.done', output_index: this.#outputIndex, item };
  }

  get #place(): object {
    const place = { item_id: this.#item.id, output_index: this.#outputIndex };
    return this.#kind === 'function_call' ? place : { ...place, content_index: 0 };
  }

  #whole(logprobs: readonly TokenLogprob[]): object {
    if (this.#kind === 'reasoning') return { text: this.#text };
    if (this.#kind === 'message') {
      return { text: this.#text, logprobs: textPart('', logprobs).logprobs };
    }
    const name = this.#item.message.tool_calls?.[0]?.function.name;
    return { name, arguments: this.#text };
  }

  #part(logprobs: readonly TokenLogprob[]): object {
    return this.#kind === 'reasoning' ? reasoningPart(this.#text) : textPart(this.#text, logprobs);
  }

  /** The item with what was written of it. */
  #view(status: ItemStatus, logprobs: readonly TokenLogprob[]): OutputItem {
    const { message } = this.#item;
    const calls = message.tool_calls?.map((call) => ({
      ...call,
      function: { ...call.function, arguments: this.#text },
    }));
    const written = {
      role: message.role,
      ...(message.content === undefined ? {} : { content: this.#text }),
      ...(message.reasoning_content === undefined ? {} : { reasoning_content: this.#text }),
      ...(calls === undefined ? {} : { tool_calls: calls }),
    };
    return outputItem(this.#job, { ...this.#item, message: written }, { status, logprobs });
  }
}
