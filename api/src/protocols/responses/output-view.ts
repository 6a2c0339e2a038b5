import type { Job, TokenLogprob } from '@epd/jobs';
import { choiceLogprobs } from '../chat/openai-parts.ts';
import type { OutputItem } from './item-schema.ts';
import type { Item } from './items.ts';
import { responseNotes } from './notes.ts';
import { sealed } from './reasoning-content.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

interface OutputState {
  readonly status: ItemStatus;
  readonly logprobs: readonly TokenLogprob[];
}

/** An item of an answer as `/v1/responses` shows it. */
export function outputItem(
  job: Job,
  { id, message }: Item,
  { status, logprobs }: OutputState,
): OutputItem {
  const { content, reasoning_content: reasoning, tool_calls: [call] = [] } = message;
  if (call !== undefined) {
    const { name, arguments: text } = call.function;
    return { id, type: 'function_call', call_id: call.id, name, arguments: text, status };
  }
  if (reasoning !== undefined) {
    return {
      id,
      type: 'reasoning',
      status,
      summary: [],
      content: [reasoningPart(reasoning)],
      ...(responseNotes(job).sealsReasoning ? { encrypted_content: sealed(reasoning) } : {}),
    };
  }
  const text = typeof content === 'string' ? content : '';
  return { id, type: 'message', role: 'assistant', status, content: [textPart(text, logprobs)] };
}

export const reasoningPart = (text: string) => ({ type: 'reasoning_text' as const, text });

export const textPart = (text: string, logprobs: readonly TokenLogprob[]) => ({
  type: 'output_text' as const,
  text,
  annotations: [],
  logprobs: choiceLogprobs(logprobs).content,
});
