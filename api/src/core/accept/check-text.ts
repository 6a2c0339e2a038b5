import type { ModelCard } from '@epd/fleet';
import { ApiError } from '../../http/errors.ts';
import type { JobTools } from '@epd/jobs';
import type { SubmittedMessage } from './image-sources.ts';
import { messageTexts } from './message-text.ts';
import type { Submission } from './submission.ts';

/**
 * Refuses in microseconds what could never fit the model's context, however it is tokenized: no worker
 * spends seconds on it, and no image of it is fetched. The worker counts the tokens of all the rest.
 */
export function checkText(
  { messages, raw }: Pick<Submission, 'messages' | 'raw'>,
  card: ModelCard,
  tools?: JobTools,
): void {
  const { contextLength } = card;
  const parts = messages.reduce((sum, { content }) => sum + partsOf(content), 0);
  if (parts > contextLength) {
    throw tooLong(
      `at most ${contextLength} messages and content parts, as the model's context holds ${contextLength} tokens, got ${parts}`,
    );
  }
  const most = contextLength * card.bytesPerTokenMax;
  // Templates take blanks off both ends; in a prompt without one they are tokens like others.
  const counted = (text: string): number => Buffer.byteLength(raw ? text : text.trim());
  const texts = messages.flatMap(messageTexts).reduce((sum, text) => sum + counted(text), 0);
  const bytes = texts + toolBytes(tools);
  if (bytes <= most) return;
  throw tooLong(
    `at most ${most} bytes of text, as the model's context holds ${contextLength} tokens of at most ${card.bytesPerTokenMax} bytes, got ${bytes}`,
  );
}

const tooLong = (expectation: string): ApiError =>
  new ApiError('context_length_exceeded', `messages: expected ${expectation}`, {
    param: 'messages',
  });

type Content = SubmittedMessage['content'];

const partsOf = (content: Content): number => (Array.isArray(content) ? content.length : 1);

/** However templates write them: names, descriptions and schemas are all in the prompt. */
const toolBytes = (tools: JobTools | undefined): number =>
  (tools?.functions ?? []).reduce((sum, tool) => sum + Buffer.byteLength(JSON.stringify(tool)), 0);
