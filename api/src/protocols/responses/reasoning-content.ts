import { ApiError } from '../../http/errors.ts';
import type { InputItem } from './item-schema.ts';

/** Marks what this server wrote: another's `encrypted_content` cannot be read here. */
const PREFIX = 'epd1.';

/**
 * Reasoning as `encrypted_content`: clients that keep the conversation themselves (`store: false`) send it
 * again as it came, and often nothing else of the item. It is no secret here, and only encoded.
 */
export const sealed = (text: string): string =>
  PREFIX + Buffer.from(text, 'utf8').toString('base64url');

/** What a replayed reasoning item thought. Throws `invalid_value` for another server's. */
export function reasoningText(
  { content, encrypted_content: carried }: Extract<InputItem, { type: 'reasoning' }>,
  place: string,
): string {
  if (content !== undefined && content.length > 0) return content.map(({ text }) => text).join('');
  if (carried === undefined) return '';
  if (carried.startsWith(PREFIX)) {
    return Buffer.from(carried.slice(PREFIX.length), 'base64url').toString('utf8');
  }
  const param = `${place}.encrypted_content`;
  const message = `${param}: expected what a response of this server included, got another's`;
  throw new ApiError('invalid_value', message, { param });
}
