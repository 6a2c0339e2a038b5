import { Type, type Static } from 'typebox';
import { EXAMPLES } from '../examples.ts';
import { Messages } from '../../core/accept/message-schema.ts';
import { Metadata } from '../../core/jobs/metadata-schema.ts';
import { SamplingBody } from '../../core/accept/sampling-schema.ts';
import { TemplateFields } from '../../core/accept/template-options.ts';
import { Ignored } from '../../http/ignored.ts';
import { ToolCallBody, ToolFields } from '../../core/accept/tools-schema.ts';

export const ChatCompletionBody = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    messages: Messages,
    ...SamplingBody.properties,
    max_completion_tokens: SamplingBody.properties.max_tokens,
    stream: Type.Optional(Type.Boolean()),
    stream_options: Type.Optional(
      Type.Object({
        include_usage: Type.Optional(Type.Boolean()),
        include_obfuscation: Ignored,
      }),
    ),
    metadata: Type.Optional(Metadata),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    return_token_ids: Type.Optional(Type.Boolean()),
    ...ToolFields,
    ...TemplateFields,
    prediction: Ignored,
    prompt_cache_key: Ignored,
    prompt_cache_options: Ignored,
    prompt_cache_retention: Ignored,
    safety_identifier: Ignored,
    service_tier: Ignored,
    store: Ignored,
    user: Ignored,
  },
  {
    title: 'ChatCompletionRequest',
    examples: EXAMPLES.chat,
    description: "OpenAI's parameters; ones not listed are ignored.",
  },
);
export type ChatCompletionBody = Static<typeof ChatCompletionBody>;

export const CompletionUsage = Type.Object({
  prompt_tokens: Type.Integer(),
  completion_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  prompt_tokens_details: Type.Object({
    cached_tokens: Type.Integer(),
    image_tokens: Type.Integer(),
  }),
  completion_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
});
export type CompletionUsage = Static<typeof CompletionUsage>;

const Logprob = {
  token: Type.String(),
  logprob: Type.Number(),
  bytes: Type.Array(Type.Integer()),
};

export const ChoiceLogprobs = Type.Object({
  content: Type.Array(Type.Object({ ...Logprob, top_logprobs: Type.Array(Type.Object(Logprob)) })),
  refusal: Type.Null(),
});
export type ChoiceLogprobs = Static<typeof ChoiceLogprobs>;

const FinishReason = Type.Union([
  Type.Literal('stop'),
  Type.Literal('length'),
  Type.Literal('tool_calls'),
  Type.Null(),
]);

export const ChatCompletion = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('chat.completion'),
    created: Type.Integer(),
    model: Type.String(),
    system_fingerprint: Type.String(),
    choices: Type.Array(
      Type.Object({
        index: Type.Integer(),
        message: Type.Object({
          role: Type.Literal('assistant'),
          content: Type.Union([Type.String(), Type.Null()]),
          refusal: Type.Null(),
          reasoning_content: Type.Optional(Type.String()),
          tool_calls: Type.Optional(Type.Array(ToolCallBody)),
        }),
        finish_reason: FinishReason,
        logprobs: Type.Union([ChoiceLogprobs, Type.Null()]),
        token_ids: Type.Optional(Type.Array(Type.Integer())),
      }),
    ),
    usage: CompletionUsage,
  },
  { title: 'ChatCompletion' },
);
export type ChatCompletion = Static<typeof ChatCompletion>;
