import type { Job } from '@epd/jobs';
import type { SubmittedMessage } from '../../core/accept/image-sources.ts';
import { inputItems, type Item } from './items.ts';
import { reasoningPart } from './output-view.ts';

/** What a response was asked, as `/v1/responses/{id}/input_items` lists it, the oldest first. */
export const inputItemViews = (job: Job): { id: string }[] => inputItems(job).map(view);

function view({ id, kind, message }: Item): { id: string } {
  const { role, content = '', tool_calls: [call] = [], reasoning_content: reasoning } = message;
  const shown = { id, type: kind, status: 'completed' };
  const { name, arguments: text } = call?.function ?? {};
  switch (kind) {
    case 'function_call':
      return Object.assign(shown, { call_id: call?.id, name, arguments: text });
    case 'function_call_output':
      return Object.assign(shown, { call_id: message.tool_call_id, output: outputView(content) });
    case 'reasoning':
      return Object.assign(shown, { summary: [], content: [reasoningPart(reasoning ?? '')] });
    case 'message':
    default:
      return Object.assign(shown, { role, content: partViews(role, content) });
  }
}

type Content = SubmittedMessage['content'];

const outputView = (content: Content): unknown =>
  typeof content === 'string' ? content : partViews('tool', content);

function partViews(role: SubmittedMessage['role'], content: Content): object[] {
  const text = (of: string): object =>
    role === 'assistant'
      ? { type: 'output_text', text: of, annotations: [] }
      : { type: 'input_text', text: of };
  if (typeof content === 'string') return [text(content)];
  return (content ?? []).map((part) => (part.type === 'text' ? text(part.text) : picture(part)));
}

/** A picture's address is not kept: its digest names it. */
const picture = (part: object): object => ({
  type: 'input_image',
  detail: 'auto',
  file_id: null,
  image_url: null,
  sha256: 'sha256' in part ? part.sha256 : null,
});
