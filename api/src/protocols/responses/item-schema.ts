import { Type, type Static } from 'typebox';
import { Ignored } from '../../http/ignored.ts';
import { Tagged } from '../../http/tagged.ts';

const MAX_ID_CHARACTERS = 200;
const Id = Type.String({ minLength: 1, maxLength: MAX_ID_CHARACTERS });
/** Of an item that a response gave, and a client sends again. */
const Replayed = { id: Type.Optional(Id), status: Ignored };

const TextPart = Type.Object({ type: Type.Literal('input_text'), text: Type.String() });
const OutputTextPart = Type.Object({ type: Type.Literal('output_text'), text: Type.String() });
const RefusalPart = Type.Object({ type: Type.Literal('refusal'), refusal: Type.String() });
const ImagePart = Type.Object({
  type: Type.Literal('input_image'),
  image_url: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  file_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  detail: Ignored,
});

const VIDEO =
  'videos are not read: send frames of it as several parts of type input_image, in order';

const InputPart = Tagged('type', [TextPart, OutputTextPart, RefusalPart, ImagePart], {
  input_video: VIDEO,
  video_url: VIDEO,
  input_audio: 'audio is not read: send what is said as text',
  input_file: 'documents are not read: send pages of it as parts of type input_image',
});
export type InputPart = Static<typeof InputPart>;

const InputMessage = Type.Object({
  type: Type.Literal('message'),
  role: Type.Union([
    Type.Literal('user'),
    Type.Literal('assistant'),
    Type.Literal('system'),
    Type.Literal('developer'),
  ]),
  content: Type.Union([Type.String(), Type.Array(InputPart)]),
  phase: Ignored,
  ...Replayed,
});

const ItemReference = Type.Object({
  type: Type.Literal('item_reference'),
  id: Type.String({ description: 'Of an item of a stored response.' }),
});

const FunctionCall = Type.Object({
  type: Type.Literal('function_call'),
  call_id: Id,
  name: Type.String({ pattern: '^[a-zA-Z0-9_-]{1,64}$' }),
  arguments: Type.String(),
  ...Replayed,
});

const FunctionCallOutput = Type.Object({
  type: Type.Literal('function_call_output'),
  call_id: Id,
  output: Type.Union([Type.String(), Type.Array(Tagged('type', [TextPart]))]),
  ...Replayed,
});

const Reasoning = Type.Object({
  type: Type.Literal('reasoning'),
  summary: Ignored,
  content: Type.Optional(
    Type.Array(Type.Object({ type: Type.Literal('reasoning_text'), text: Type.String() })),
  ),
  encrypted_content: Type.Optional(
    Type.String({ description: 'Of a response that was asked to include it.' }),
  ),
  ...Replayed,
});

/** `type` may be left out of messages and references: it is filled in before bodies are checked. */
export const InputItem = Tagged('type', [
  InputMessage,
  ItemReference,
  FunctionCall,
  FunctionCallOutput,
  Reasoning,
]);
export type InputItem = Static<typeof InputItem>;

const OutputText = Type.Object({
  type: Type.Literal('output_text'),
  text: Type.String(),
  annotations: Type.Array(Type.Unknown()),
  logprobs: Type.Array(Type.Unknown()),
});

export const OutputItem = Tagged('type', [
  Type.Object({
    id: Type.String(),
    type: Type.Literal('message'),
    role: Type.Literal('assistant'),
    status: Type.String(),
    content: Type.Array(OutputText),
  }),
  Type.Object({
    id: Type.String(),
    type: Type.Literal('reasoning'),
    status: Type.String(),
    summary: Type.Array(Type.Unknown()),
    content: Type.Array(Type.Object({ type: Type.Literal('reasoning_text'), text: Type.String() })),
    encrypted_content: Type.Optional(Type.String()),
  }),
  Type.Object({
    id: Type.String(),
    type: Type.Literal('function_call'),
    call_id: Type.String(),
    name: Type.String(),
    arguments: Type.String(),
    status: Type.String(),
  }),
]);
export type OutputItem = Static<typeof OutputItem>;
