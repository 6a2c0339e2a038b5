import { Type, type Static } from 'typebox';
import { EXAMPLES } from '../examples.ts';
import { Metadata } from '../../core/jobs/metadata-schema.ts';
import { SamplingBody } from '../../core/accept/sampling-schema.ts';
import { TemplateFields } from '../../core/accept/template-options.ts';
import { Ignored } from '../../http/ignored.ts';
import { Tagged } from '../../http/tagged.ts';
import { InputItem, OutputItem } from './item-schema.ts';
import { ResponseToolFields } from './tool-schema.ts';

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
  response_format: _format,
  n: _n,
  logprobs: _logprobs,
  ...samplingFields
} = SamplingBody.properties;
/** Sampling parameters that responses and chat completions share, OpenAI's and vLLM's. */
export const SAMPLING_FIELDS = Object.keys(samplingFields) as (keyof typeof samplingFields)[];

const { reasoning_effort: effort, ...templateFields } = TemplateFields;

const Reasoning = Type.Object({
  effort: Type.Optional(Type.Union([effort, Type.Null()])),
  summary: Ignored,
  generate_summary: Ignored,
});

export const ResponseBody = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    input: Type.Union([Type.String(), Type.Array(InputItem, { minItems: 1, maxItems: 2_000 })]),
    instructions: Type.Optional(Type.String()),
    previous_response_id: Type.Optional(Type.String()),
    background: Type.Optional(Type.Boolean()),
    store: Type.Optional(Type.Boolean()),
    stream: Type.Optional(Type.Boolean()),
    metadata: Type.Optional(Metadata),
    max_output_tokens: maxTokens,
    ...samplingFields,
    ...templateFields,
    ...ResponseToolFields,
    include: Type.Optional(
      Type.Array(
        Type.Union([
          Type.Literal('message.output_text.logprobs'),
          Type.Literal('reasoning.encrypted_content'),
        ]),
      ),
    ),
    reasoning: Type.Optional(Reasoning),
    text: Type.Optional(
      Type.Object({
        format: Type.Optional(Type.Union([TextFormat, Type.Null()])),
        verbosity: Type.Optional(Type.Unknown()),
      }),
    ),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    prompt_cache_key: Ignored,
    prompt_cache_options: Ignored,
    prompt_cache_retention: Ignored,
    safety_identifier: Ignored,
    service_tier: Ignored,
    stream_options: Ignored,
    user: Ignored,
  },
  {
    title: 'ResponseRequest',
    examples: EXAMPLES.response,
    description:
      "OpenAI's parameters, and vLLM's additions to them. What would change the answer and is not carried out is refused.",
  },
);
export type ResponseBody = Static<typeof ResponseBody>;

const Nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);

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
    output: Type.Array(OutputItem),
    parallel_tool_calls: Type.Boolean(),
    previous_response_id: Nullable(Type.String()),
    store: Type.Boolean(),
    temperature: Type.Number(),
    text: Type.Object({ format: Type.Record(Type.String(), Type.Unknown()) }),
    tool_choice: Type.Unknown(),
    reasoning: Type.Object({ effort: Nullable(Type.String()), summary: Type.Null() }),
    tools: Type.Array(Type.Unknown()),
    top_p: Type.Number(),
    truncation: Type.Literal('disabled'),
    usage: Nullable(
      Type.Object({
        input_tokens: Type.Integer(),
        input_tokens_details: Type.Object({
          cached_tokens: Type.Integer(),
          cache_write_tokens: Type.Integer(),
        }),
        output_tokens: Type.Integer(),
        output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
        total_tokens: Type.Integer(),
      }),
    ),
  },
  { title: 'Response' },
);
export type ResponseView = Static<typeof ResponseView>;
