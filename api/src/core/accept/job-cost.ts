import type { SubmittedMessage } from './image-sources.ts';

/** Of text whose tokens only a worker can count. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * What a job costs the fleet, in tokens: the prompt's, by a rule of thumb for its text and exactly for
 * its pictures, and the most that the answers may have.
 */
export function jobCost(
  messages: readonly SubmittedMessage[],
  imageTokens: readonly number[],
  { n, maxTokens }: { readonly n: number; readonly maxTokens: number },
): number {
  const characters = messages.reduce((sum, { content }) => sum + charactersOf(content), 0);
  const pictures = imageTokens.reduce((sum, tokens) => sum + tokens, 0);
  return Math.ceil(characters / CHARACTERS_PER_TOKEN) + pictures + n * maxTokens;
}

function charactersOf(content: SubmittedMessage['content']): number {
  if (content === undefined || content === null) return 0;
  if (typeof content === 'string') return content.length;
  return content.reduce((sum, part) => sum + (part.type === 'text' ? part.text.length : 0), 0);
}
