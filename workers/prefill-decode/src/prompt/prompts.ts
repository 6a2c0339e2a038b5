import type { Conversation, Prompt } from '@epd/model';
import type { PromptRequest } from './messages.ts';
import { PromptLane } from './prompt-lane.ts';

/**
 * Above this, in UTF-16 units, a prompt goes to the long lane: a shorter one takes some tens of ms.
 */
const LONG_TEXT = 32_768;
/** Cost of rendering a message or a part of one, in the same unit. */
const PART_COST = 64;
/** A vocabulary of 250,000 takes some 300 MiB; the rest is for the text of one prompt. */
const HEAP_MIB = 1024;
/** Long prompts are usually rare: their thread exits when idle to free its memory. */
const LONG_IDLE_MS = 60_000;

/**
 * Builds prompts off the main thread, which renews locks. Short prompts never queue behind a long
 * one.
 */
export class Prompts {
  readonly #short: PromptLane;
  readonly #long: PromptLane;

  constructor(
    modelFolder: string,
    limits: { readonly timeoutMs: number; readonly imageTokensMax?: number },
  ) {
    const { timeoutMs, ...images } = limits;
    const options = { modelFolder, ...images };
    const common = { timeoutMs, heapMib: HEAP_MIB };
    this.#short = new PromptLane(options, { ...common, idleMs: null });
    this.#long = new PromptLane(options, { ...common, idleMs: LONG_IDLE_MS });
  }

  /** The first prompt does not wait for its thread. */
  warm(): void {
    this.#short.warm();
  }

  /** Rejects as `PromptLane.build` does. */
  build(request: PromptRequest, signal: AbortSignal): Promise<Prompt> {
    const lane = sizeOf(request) > LONG_TEXT ? this.#long : this.#short;
    return lane.build(request, signal);
  }

  close(): void {
    this.#short.close();
    this.#long.close();
  }
}

function sizeOf({ messages, tools = [] }: Conversation): number {
  let size = tools.length === 0 ? 0 : JSON.stringify(tools).length;
  for (const { content, reasoning = '', toolCalls = [] } of messages) {
    size += PART_COST + reasoning.length;
    for (const call of toolCalls) size += PART_COST + call.arguments.length;
    if (typeof content === 'string') size += content.length;
    else
      for (const part of content) size += PART_COST + (part.type === 'text' ? part.text.length : 0);
  }
  return size;
}
