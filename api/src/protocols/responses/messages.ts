import type { Job } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { InputMessage, InputPart, ResponseBody } from './schema.ts';
import { responseNotes } from './view.ts';
import type { SubmittedMessage } from '../../core/accept/image-sources.ts';

type SubmittedPart = Extract<SubmittedMessage['content'], readonly unknown[]>[number];

/** Instructions, the turns before, and this turn's input, as one conversation. */
export function responseMessages(body: ResponseBody, previous: Job | null): SubmittedMessage[] {
  const instructions: SubmittedMessage[] =
    body.instructions === undefined ? [] : [{ role: 'system', content: body.instructions }];
  const input =
    typeof body.input === 'string'
      ? [{ role: 'user' as const, content: body.input }]
      : body.input.map(submitted);
  return [...instructions, ...(previous === null ? [] : earlierTurns(previous)), ...input];
}

/** What was asked and answered before, without the instructions of then: each turn has its own. */
function earlierTurns(job: Job): SubmittedMessage[] {
  const { messages, images } = job.request;
  const asked = responseNotes(job).instructions === null ? messages : messages.slice(1);
  const turns = asked.map(({ role, content }): SubmittedMessage => {
    if (typeof content === 'string') return { role, content };
    const parts = content.map((part): SubmittedPart =>
      part.type === 'text'
        ? part
        : { type: 'stored_image', sha256: images[part.image]?.input.sha256 ?? '' },
    );
    return { role, content: parts };
  });
  return [...turns, { role: 'assistant', content: job.ending?.choices[0]?.text ?? '' }];
}

function submitted({ role, content }: InputMessage, index: number): SubmittedMessage {
  if (typeof content === 'string') return { role, content };
  return {
    role,
    content: content.map((part, at) => submittedPart(part, `input[${index}].content[${at}]`)),
  };
}

function submittedPart(part: InputPart, path: string): SubmittedPart {
  if (part.type !== 'input_image') return { type: 'text', text: part.text };
  const { image_url: url, file_id: fileId } = part;
  if (typeof url === 'string') return { type: 'image_url', image_url: { url } };
  if (typeof fileId === 'string') return { type: 'image_url', image_url: { file_id: fileId } };
  throw new ApiError('invalid_value', `${path}: expected image_url or file_id, got neither`, {
    param: path,
  });
}
