import { Type, type Static } from 'typebox';
import { Tagged } from '../../http/tagged.ts';
import { ToolCallBody } from './tools-schema.ts';

const TextPart = Type.Object({ type: Type.Literal('text'), text: Type.String() });

const ImageUrlPart = Type.Object({
  type: Type.Literal('image_url'),
  image_url: Type.Object({
    url: Type.Optional(
      Type.String({
        description: 'A data URI (`data:image/png;base64,…`) or an https URL.',
      }),
    ),
    file_id: Type.Optional(
      Type.String({ description: 'Of an uploaded picture, in place of `url`.' }),
    ),
    detail: Type.Optional(
      Type.Union([Type.Literal('auto'), Type.Literal('low'), Type.Literal('high')], {
        description: 'Accepted and ignored: the model decides how finely it looks.',
      }),
    ),
    uuid: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description:
          'Your name for the picture. Bound to the content it is first sent with; afterwards it may be sent without `url`.',
      }),
    ),
  }),
});

/** More frames than any model samples from. */
const MAX_FRAMES = 1_000;

const VideoPart = Type.Object({
  type: Type.Literal('video'),
  video: Type.Array(
    Type.Union([
      Type.String({ minLength: 1 }),
      Type.Object({
        url: Type.Optional(Type.String({ minLength: 1 })),
        file_id: Type.Optional(Type.String({ minLength: 1 })),
      }),
    ]),
    {
      minItems: 1,
      maxItems: MAX_FRAMES,
      description:
        'Frames in order, each as a picture: a data URI or https URL, or `{url}` or `{file_id}`. The model is shown those that its own processor samples.',
    },
  ),
  fps: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1_000,
    description: 'Frames a second of `video`: the model is told the time of each.',
  }),
});
export type VideoPart = Static<typeof VideoPart>;

const VIDEO = 'video files are not read: send frames of it as a part of type video, with its fps';
const AUDIO = 'audio is not read: send what is said as text';
const FILE = 'documents are not read: send pages of it as parts of type image_url';

export const ContentPart = Tagged('type', [TextPart, ImageUrlPart, VideoPart], {
  video_url: VIDEO,
  input_video: VIDEO,
  input_audio: AUDIO,
  audio_url: AUDIO,
  file: FILE,
});
export type ContentPart = Static<typeof ContentPart>;

/** Of one message. */
const MAX_CALLS = 128;

const Name = Type.Optional(Type.String({ description: 'Accepted and ignored.' }));

export const ChatMessageBody = Tagged('role', [
  Type.Object({
    role: Type.Literal('system'),
    content: Type.Union([Type.String(), Type.Array(ContentPart)]),
    name: Name,
  }),
  Type.Object({
    role: Type.Literal('developer'),
    content: Type.Union([Type.String(), Type.Array(ContentPart)]),
    name: Name,
  }),
  Type.Object({
    role: Type.Literal('user'),
    content: Type.Union([Type.String(), Type.Array(ContentPart)]),
    name: Name,
  }),
  Type.Object({
    role: Type.Literal('assistant'),
    content: Type.Optional(Type.Union([Type.String(), Type.Array(ContentPart), Type.Null()])),
    name: Name,
    refusal: Type.Optional(Type.Null()),
    tool_calls: Type.Optional(Type.Array(ToolCallBody, { maxItems: MAX_CALLS })),
    reasoning_content: Type.Optional(
      Type.String({ description: 'What it thought; shown to models whose template has it.' }),
    ),
  }),
  Type.Object({
    role: Type.Literal('tool'),
    tool_call_id: Type.String({ minLength: 1, maxLength: 200 }),
    content: Type.Union([Type.String(), Type.Array(TextPart)]),
    name: Name,
  }),
]);
export type ChatMessageBody = Static<typeof ChatMessageBody>;

/** Longer than any conversation that fits a model. */
const MAX_MESSAGES = 2_000;

export const Messages = Type.Array(ChatMessageBody, { minItems: 1, maxItems: MAX_MESSAGES });
