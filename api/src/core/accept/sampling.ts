import { randomInt } from 'node:crypto';
import type { Sampling } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import type { ResponseFormat } from './message-schema.ts';
import type { SamplingBody } from './sampling-schema.ts';

interface SamplingLimits {
  readonly defaultMaxTokens: number;
  readonly contextLength: number;
}

const SEEDS = 2 ** 32;

/** OpenAI's parameters as the workers take them, every default filled in. */
export function toSampling(body: SamplingBody, limits: SamplingLimits): Sampling {
  return {
    maxTokens: Math.min(body.max_tokens ?? limits.defaultMaxTokens, limits.contextLength),
    temperature: body.temperature ?? 1,
    topP: body.top_p ?? 1,
    topK: Math.max(0, body.top_k ?? 0),
    minP: body.min_p ?? 0,
    repetitionPenalty: body.repetition_penalty ?? 1,
    presencePenalty: body.presence_penalty ?? 0,
    frequencyPenalty: body.frequency_penalty ?? 0,
    seed: body.seed === undefined ? randomInt(SEEDS) : body.seed >>> 0,
    stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []),
    ignoreEos: body.ignore_eos ?? false,
    n: body.n ?? 1,
    topLogprobs: topLogprobs(body),
    jsonSchema: jsonSchema(body.response_format),
  };
}

function topLogprobs({ logprobs, top_logprobs: top }: SamplingBody): number | null {
  if (logprobs === true) return top ?? 0;
  if (top === undefined) return null;
  throw new ApiError('invalid_value', 'top_logprobs: expected with logprobs: true, got it alone', {
    param: 'top_logprobs',
  });
}

/** The decoder writes free text only: text in place of promised JSON would be worse than a refusal. */
function jsonSchema(format: ResponseFormat | undefined): Sampling['jsonSchema'] {
  if (format === undefined || format.type === 'text') return null;
  throw new ApiError(
    'unsupported_parameter',
    `response_format: expected {"type": "text"}, got ${JSON.stringify(format.type)}: answers are not held to a schema here`,
    { param: 'response_format' },
  );
}
