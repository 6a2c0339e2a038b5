import type { SubmittedMessage } from './image-sources.ts';

/** The texts of a message that its prompt shows, calls and reasoning among them. */
export function messageTexts({
  content,
  tool_calls: calls = [],
  reasoning_content: reasoning,
}: SubmittedMessage): string[] {
  return [
    ...contentTexts(content),
    ...(reasoning === undefined ? [] : [reasoning]),
    ...calls.flatMap(({ function: { name, arguments: text } }) => [name, text]),
  ];
}

function contentTexts(content: SubmittedMessage['content']): string[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return [content];
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
}
