import type { ChatMessage } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { ChatMessageBody, ContentPart } from './message-schema.ts';
import type { ToolCallBody } from './tools-schema.ts';

/** A picture that is in the store already: what files and earlier answers refer to. Never a caller's. */
interface StoredImagePart {
  readonly type: 'stored_image';
  readonly sha256: string;
  /** Of a video. */
  readonly isFrame?: boolean;
}

/** A frame of a video, once it is laid out. */
export interface FramePart {
  readonly type: 'frame';
  readonly url: string | undefined;
  readonly fileId: string | undefined;
  /** Where in the request it stands. */
  readonly param: string;
}

export type SubmittedPart = ContentPart | StoredImagePart | FramePart;

/** A chat message as routes hand it to the acceptor. */
export interface SubmittedMessage {
  readonly role: ChatMessageBody['role'];
  readonly content?: string | readonly SubmittedPart[] | null;
  readonly tool_calls?: readonly ToolCallBody[];
  readonly tool_call_id?: string;
  readonly reasoning_content?: string;
}

/** One mention of a picture in a request. */
export interface ImageSource {
  readonly url: string;
  readonly uuid: string | null;
  /** Digest of stored bytes, or an uploaded file's id; then there is no URL. */
  readonly sha256: string | null;
  readonly fileId: string | null;
  readonly isFrame: boolean;
  /** Where in the request it stands, for messages. */
  readonly param: string;
}

const DATA_URI = /^data:/i;

/** Whether it may have to be fetched from a remote server. */
export const isFetched = ({ url }: ImageSource): boolean => url !== '' && !DATA_URI.test(url);

/** Every mention of a picture, in the order of the prompt. Throws `too_many_images`. */
export function findImages(
  messages: readonly SubmittedMessage[],
  maxImages: number,
): ImageSource[] {
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
  messages: readonly SubmittedMessage[],
  images: readonly number[],
): ChatMessage[] {
  const next = images.values();
  return messages.map(({ role, content, ...rest }) => ({
    role: role === 'developer' ? 'system' : role,
    ...callsOf(rest),
    content: isParts(content)
      ? content.map((part) =>
          part.type === 'text'
            ? { type: 'text', text: part.text }
            : { type: 'image', image: next.next().value ?? 0 },
        )
      : (content ?? ''),
  }));
}

function callsOf({
  tool_calls: calls = [],
  tool_call_id: toolCallId,
  reasoning_content: reasoning,
}: Omit<SubmittedMessage, 'role' | 'content'>): Partial<ChatMessage> {
  return {
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
    ...(calls.length === 0
      ? {}
      : {
          toolCalls: calls.map(({ id, function: { name, arguments: text } }) => ({
            id,
            name,
            arguments: text,
          })),
        }),
  };
}

const isParts = (content: SubmittedMessage['content']): content is readonly SubmittedPart[] =>
  Array.isArray(content);

const partsOf = (content: SubmittedMessage['content']) => (isParts(content) ? content : []);

/** Videos are laid out before. */
function sourceOf(part: SubmittedPart, path: string): ImageSource[] {
  if (part.type === 'text' || part.type === 'video') return [];
  if (part.type === 'frame') return [frameSource(part)];
  const param = `${path}.image_url.url`;
  const none = { url: '', uuid: null, sha256: null, fileId: null, isFrame: false, param };
  if (part.type === 'stored_image') {
    const { sha256, isFrame = false } = part;
    return [{ ...none, sha256, isFrame }];
  }
  const { url, uuid, file_id: fileId } = part.image_url;
  if (fileId !== undefined) return [{ ...none, fileId }];
  if (url === undefined && uuid === undefined) {
    throw new ApiError('invalid_value', `${param}: expected a URL, got nothing`, { param });
  }
  // As the URL standard does.
  return [{ ...none, url: (url ?? '').trim(), uuid: uuid ?? null }];
}

function frameSource({ url = '', fileId, param }: FramePart): ImageSource {
  if ((url === '') === (fileId === undefined))
    throw new ApiError('invalid_value', `${param}: expected either url or file_id`, { param });
  return {
    url: url.trim(),
    uuid: null,
    sha256: null,
    fileId: fileId ?? null,
    isFrame: true,
    param,
  };
}
