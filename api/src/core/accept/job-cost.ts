import type { SubmittedMessage } from './image-sources.ts';
import { messageTexts } from './message-text.ts';

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
  const characters = messages.flatMap(messageTexts).reduce((sum, text) => sum + text.length, 0);
  const pictures = imageTokens.reduce((sum, tokens) => sum + tokens, 0);
  return Math.ceil(characters / CHARACTERS_PER_TOKEN) + pictures + n * maxTokens;
}
