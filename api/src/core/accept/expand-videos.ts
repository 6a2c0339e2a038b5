import type { ModelCard } from '@epd/fleet';
import { videoPlan, type ImageGeometry } from '@epd/model/geometry';
import { ApiError } from '../../http/errors.ts';
import type { FramePart, SubmittedMessage, SubmittedPart } from './image-sources.ts';
import type { VideoPart } from './message-schema.ts';

/**
 * Videos as their model is shown them: a sentence, then sampled frames, each behind its time. Frames that are not
 * sampled are not fetched. Throws `unsupported_parameter` for a model that takes no videos.
 */
export function expandVideos(
  messages: readonly SubmittedMessage[],
  card: Pick<ModelCard, 'geometry' | 'id'>,
): readonly SubmittedMessage[] {
  return messages.map((message, at) => {
    const { content } = message;
    if (!Array.isArray(content) || !content.some(isVideo)) return message;
    const parts = (content as readonly SubmittedPart[]).flatMap((part, index) =>
      isVideo(part) ? expanded(part, `messages[${at}].content[${index}]`, card) : [part],
    );
    return { ...message, content: parts };
  });
}

const isVideo = (part: SubmittedPart): part is VideoPart => part.type === 'video';

function expanded(
  { video, fps }: VideoPart,
  path: string,
  { geometry, id }: Pick<ModelCard, 'geometry' | 'id'>,
): SubmittedPart[] {
  const plan = videoPlan(geometry as unknown as ImageGeometry, { count: video.length, fps });
  if (plan === null) {
    const param = `${path}.type`;
    const message = `${param}: the model ${id} takes no videos; send frames as parts of type image_url, in order`;
    throw new ApiError('unsupported_parameter', message, { param });
  }
  const { intro, frames, outro } = plan;
  const shown = frames.flatMap(({ index, text }): SubmittedPart[] => [
    { type: 'text', text },
    frame(video[index], `${path}.video[${index}]`),
  ]);
  return [{ type: 'text', text: intro }, ...shown, { type: 'text', text: outro }];
}

const frame = (source: VideoPart['video'][number] | undefined, param: string): FramePart =>
  typeof source === 'object'
    ? { type: 'frame', url: source.url, fileId: source.file_id, param }
    : { type: 'frame', url: source, fileId: undefined, param };
