import type { PlacedMessage } from './messages.ts';

/** What a response's caller calls the fields that the rest of the API names as chat completions do. */
const NAMES: Readonly<Record<string, string>> = {
  response_format: 'text.format',
  reasoning_effort: 'reasoning.effort',
  max_tokens: 'max_output_tokens',
  messages: 'input',
};

/** The caller's name for a field, or for a place in a message. */
export function responseFieldName(field: string, placed: readonly PlacedMessage[]): string {
  const [, index, inMessage = ''] = /^messages\[(\d+)\](.*)$/.exec(field) ?? [];
  if (index === undefined) return NAMES[field] ?? field;
  const { place = 'input', message } = placed[Number(index)] ?? {};
  if (!place.startsWith('input[')) return place;
  const [, part] = /^\.content\[(\d+)\]/.exec(inMessage) ?? [];
  const content = message?.content ?? '';
  const sent = typeof content === 'string' ? undefined : content[Number(part)];
  const isFile = sent?.type === 'image_url' && sent.image_url.file_id !== undefined;
  return place + inMessage.replace('.image_url.url', isFile ? '.file_id' : '.image_url');
}
