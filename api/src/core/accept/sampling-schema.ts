import { Type, type Static } from 'typebox';
import { FormatFields } from './format-schema.ts';

/** Above any model's context; a number past it is a mistake. */
const MAX_TOKENS = 1_000_000;
/** Each choice holds a slot of the decoder. */
const MAX_CHOICES = 16;
const MAX_STOPS = 16;
const MAX_STOP_CHARACTERS = 256;
/** As OpenAI's; each is a change of the logits at every step. */
const MAX_BIASES = 1_024;
const MAX_STOP_TOKENS = 64;

const Stop = Type.String({ minLength: 1, maxLength: MAX_STOP_CHARACTERS });

/** OpenAI's sampling parameters and vLLM's additions to them, by OpenAI's names. */
export const SamplingBody = Type.Object({
  max_tokens: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_TOKENS, description: 'Most tokens to generate.' }),
  ),
  temperature: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 2,
      description: '0: always the likeliest token. Default 1.',
    }),
  ),
  top_p: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
  top_k: Type.Optional(
    Type.Integer({ minimum: -1, maximum: MAX_TOKENS, description: '0 or -1: no bound.' }),
  ),
  min_p: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  repetition_penalty: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 10 })),
  presence_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  frequency_penalty: Type.Optional(Type.Number({ minimum: -2, maximum: 2 })),
  seed: Type.Optional(
    Type.Integer({
      minimum: Number.MIN_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        'Same seed, same answer. Without one a random seed is taken. Its low 32 bits count.',
    }),
  ),
  stop: Type.Optional(Type.Union([Stop, Type.Array(Stop, { maxItems: MAX_STOPS })])),
  n: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_CHOICES })),
  logprobs: Type.Optional(Type.Boolean()),
  top_logprobs: Type.Optional(Type.Integer({ minimum: 0, maximum: 20 })),
  ignore_eos: Type.Optional(Type.Boolean()),
  logit_bias: Type.Optional(
    Type.Record(
      Type.String({ pattern: '^\\d{1,9}$' }),
      Type.Number({ minimum: -100, maximum: 100 }),
      {
        maxProperties: MAX_BIASES,
        additionalProperties: false,
        description: 'Added to the logits of tokens, by their ids.',
      },
    ),
  ),
  min_tokens: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: MAX_TOKENS,
      description:
        'Least tokens to generate: no end-of-sequence token, stop token or stop string ends the answer before.',
    }),
  ),
  stop_token_ids: Type.Optional(
    Type.Array(Type.Integer({ minimum: 0 }), {
      maxItems: MAX_STOP_TOKENS,
      description: 'Tokens that end the answer, and are no part of it.',
    }),
  ),
  ...FormatFields,
});
export type SamplingBody = Static<typeof SamplingBody>;
