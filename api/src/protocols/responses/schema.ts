import { Type, type Static } from 'typebox';
import { EXAMPLES } from '../examples.ts';
import { Metadata } from '../../core/jobs/metadata-schema.ts';
import { SamplingBody } from '../../core/accept/sampling-schema.ts';
import { Tagged } from '../../http/tagged.ts';

const Ignored = Type.Optional(Type.Unknown());

const InputPart = Tagged('type', [
  Type.Object({ type: Type.Literal('input_text'), text: Type.String() }),
  Type.Object({ type: Type.Literal('output_text'), text: Type.String() }),
  Type.Object({
    type: Type.Literal('input_image'),
    image_url: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    file_id: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    detail: Ignored,
  }),
]);
export type InputPart = Static<typeof InputPart>;

const inputMessage = <R extends string>(role: R) =>
  Type.Object({
    type: Type.Optional(Type.Literal('message')),
    role: Type.Literal(role),
    content: Type.Union([Type.String(), Type.Array(InputPart)]),
  });

export const InputMessage = Tagged('role', [
  inputMessage('user'),
  inputMessage('assistant'),
  inputMessage('system'),
  inputMessage('developer'),
]);
export type InputMessage = Static<typeof InputMessage>;

const TextFormat = Tagged('type', [
  Type.Object({ type: Type.Literal('text') }),
  Type.Object({ type: Type.Literal('json_object') }),
  Type.Object({
    type: Type.Literal('json_schema'),
    name: Type.String({ minLength: 1, maxLength: 64 }),
    schema: Type.Record(Type.String(), Type.Unknown()),
    description: Type.Optional(Type.String()),
    strict: Type.Optional(Type.Union([Type.Boolean(), Type.Null()])),
  }),
]);
export type TextFormat = Static<typeof TextFormat>;

const {
  max_tokens: maxTokens,
  temperature,
  top_p: topP,
  top_logprobs: topLogprobs,
} = SamplingBody.properties;

export const ResponseBody = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    input: Type.Union([Type.String(), Type.Array(InputMessage, { minItems: 1, maxItems: 2_000 })]),
    instructions: Type.Optional(Type.String()),
    previous_response_id: Type.Optional(Type.String()),
    background: Type.Optional(Type.Boolean()),
    store: Type.Optional(Type.Boolean()),
    stream: Type.Optional(Type.Boolean()),
    metadata: Type.Optional(Metadata),
    max_output_tokens: maxTokens,
    temperature,
    top_p: topP,
    top_logprobs: topLogprobs,
    seed: SamplingBody.properties.seed,
    stop: SamplingBody.properties.stop,
    include: Type.Optional(Type.Array(Type.String())),
    text: Type.Optional(Type.Object({ format: Type.Optional(TextFormat), verbosity: Ignored })),
    truncation: Type.Optional(Type.Literal('disabled')),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    tools: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 0 })),
    conversation: Type.Optional(Type.Null()),
    prompt: Type.Optional(Type.Null()),
    user: Ignored,
    parallel_tool_calls: Ignored,
    service_tier: Ignored,
  },
  {
    title: 'ResponseRequest',
    examples: EXAMPLES.response,
    description: "OpenAI's parameters; ones not listed are passed over.",
  },
);
export type ResponseBody = Static<typeof ResponseBody>;

const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);

const OutputText = Type.Object({
  type: Type.Literal('output_text'),
  text: Type.String(),
  annotations: Type.Array(Type.Unknown()),
  logprobs: Type.Array(Type.Unknown()),
});

export const OutputMessage = Type.Object({
  id: Type.String(),
  type: Type.Literal('message'),
  role: Type.Literal('assistant'),
  status: Type.String(),
  content: Type.Array(OutputText),
});
export type OutputMessage = Static<typeof OutputMessage>;

export const ResponseView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('response'),
    created_at: Type.Integer(),
    completed_at: Nullable(Type.Integer()),
    status: Type.String(),
    background: Type.Boolean(),
    error: Nullable(Type.Object({ code: Type.String(), message: Type.String() })),
    incomplete_details: Nullable(Type.Object({ reason: Type.String() })),
    instructions: Nullable(Type.String()),
    max_output_tokens: Nullable(Type.Integer()),
    metadata: Type.Record(Type.String(), Type.String()),
    model: Type.String(),
    output: Type.Array(OutputMessage),
    parallel_tool_calls: Type.Boolean(),
    previous_response_id: Nullable(Type.String()),
    store: Type.Boolean(),
    temperature: Type.Number(),
    text: Type.Object({ format: Type.Record(Type.String(), Type.Unknown()) }),
    tool_choice: Type.Literal('auto'),
    tools: Type.Array(Type.Unknown()),
    top_p: Type.Number(),
    truncation: Type.Literal('disabled'),
    usage: Nullable(
      Type.Object({
        input_tokens: Type.Integer(),
        input_tokens_details: Type.Object({ cached_tokens: Type.Integer() }),
        output_tokens: Type.Integer(),
        output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
        total_tokens: Type.Integer(),
      }),
    ),
  },
  { title: 'Response' },
);
export type ResponseView = Static<typeof ResponseView>;
