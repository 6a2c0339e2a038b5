import type { ChatMessage } from '@epd/jobs';
import { ApiError } from '../errors.ts';
import type { ChatMessageBody, ContentPart } from '../schemas/chat.ts';

/** One mention of a picture in a request. */
export interface ImageSource {
  readonly url: string;
  readonly uuid: string | null;
  /** Where in the request it stands, for messages. */
  readonly param: string;
}

/** Every mention of a picture, in the order of the prompt. Throws `too_many_images`. */
export function findImages(messages: readonly ChatMessageBody[], maxImages: number): ImageSource[] {
  const sources = messages.flatMap(({ content }, message) =>
    partsOf(content).flatMap((part, index) =>
      sourceOf(part, `messages[${message}].content[${index}]`),
    ),
  );
  if (sources.length <= maxImages) return sources;
  throw new ApiError(
    'too_many_images',
    `messages: expected at most ${maxImages} pictures, got ${sources.length}`,
    { param: 'messages' },
  );
}

/**
 * The messages as workers take them. `images[i]` is the index of the i-th mention's picture among the
 * distinct ones.
 */
export function toJobMessages(
  messages: readonly ChatMessageBody[],
  images: readonly number[],
): ChatMessage[] {
  const next = images.values();
  return messages.map(({ role, content }) => ({
    role: role === 'developer' ? 'system' : role,
    content: Array.isArray(content)
      ? content.map((part) =>
          part.type === 'text'
            ? { type: 'text', text: part.text }
            : { type: 'image', image: next.next().value ?? 0 },
        )
      : (content ?? ''),
  }));
}

const partsOf = (content: ChatMessageBody['content']): readonly ContentPart[] =>
  Array.isArray(content) ? content : [];

function sourceOf(part: ContentPart, path: string): ImageSource[] {
  if (part.type === 'text') return [];
  const { url, uuid } = part.image_url;
  const param = `${path}.image_url.url`;
  if (url === undefined && uuid === undefined) {
    throw new ApiError('invalid_value', `${param}: expected a URL, got nothing`, { param });
  }
  return [{ url: url ?? '', uuid: uuid ?? null, param }];
}
