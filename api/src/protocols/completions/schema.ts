import { Type, type Static } from 'typebox';
import { SamplingBody } from '../../core/accept/sampling-schema.ts';
import { Metadata } from '../../core/jobs/metadata-schema.ts';
import { CompletionUsage } from '../chat/schema.ts';

const Ignored = Type.Optional(Type.Unknown());

const { logprobs: _chatLogprobs, top_logprobs: _top, ...sampling } = SamplingBody.properties;

export const CompletionBody = Type.Object(
  {
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    prompt: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1, maxItems: 1 })], {
      description: 'The text to continue, one; no chat template is applied.',
    }),
    ...sampling,
    logprobs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 5,
        description: 'Alternatives to each token, with their log probabilities.',
      }),
    ),
    stream: Type.Optional(Type.Boolean()),
    stream_options: Type.Optional(
      Type.Object({ include_usage: Type.Optional(Type.Boolean()), include_obfuscation: Ignored }),
    ),
    metadata: Type.Optional(Metadata),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    user: Ignored,
  },
  {
    title: 'CompletionRequest',
    examples: [{ prompt: 'The quick brown', max_tokens: 16 }],
    description: "OpenAI's parameters; ones not listed are ignored.",
  },
);
export type CompletionBody = Static<typeof CompletionBody>;

const Logprobs = Type.Object({
  tokens: Type.Array(Type.String()),
  token_logprobs: Type.Array(Type.Number()),
  top_logprobs: Type.Array(Type.Record(Type.String(), Type.Number())),
  text_offset: Type.Array(Type.Integer()),
});
export type CompletionLogprobs = Static<typeof Logprobs>;

export const Completion = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('text_completion'),
    created: Type.Integer(),
    model: Type.String(),
    system_fingerprint: Type.String(),
    choices: Type.Array(
      Type.Object({
        index: Type.Integer(),
        text: Type.String(),
        finish_reason: Type.Union([Type.Literal('stop'), Type.Literal('length'), Type.Null()]),
        logprobs: Type.Union([Logprobs, Type.Null()]),
      }),
    ),
    usage: CompletionUsage,
  },
  { title: 'Completion' },
);
export type Completion = Static<typeof Completion>;
