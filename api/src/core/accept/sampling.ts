import { randomInt } from 'node:crypto';
import type { ConstraintLimits } from '@epd/constraint';
import type { Sampling } from '@epd/jobs';
import { ApiError } from '../../http/errors.ts';
import { constraintOf } from './constraint.ts';
import type { SamplingBody } from './sampling-schema.ts';

interface SamplingLimits {
  readonly defaultMaxTokens: number;
  readonly contextLength: number;
  readonly constraints: ConstraintLimits;
}

const SEEDS = 2 ** 32;

/** OpenAI's parameters as the workers take them, every default filled in. */
export function toSampling(body: SamplingBody, limits: SamplingLimits): Sampling {
  const constraint = constraintOf(body, limits.constraints);
  if (constraint !== undefined) refuseEndless(body);
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
    ...tokenFields(body),
    n: body.n ?? 1,
    topLogprobs: topLogprobs(body),
    ...(constraint === undefined ? {} : { constraint }),
  };
}

/** Written only when requested: most records go without. */
function tokenFields(body: SamplingBody): Partial<Sampling> {
  const { logit_bias: bias, min_tokens: minTokens, stop_token_ids: stopTokenIds } = body;
  const { max_tokens: maxTokens } = body;
  if (minTokens !== undefined && maxTokens !== undefined && minTokens > maxTokens) {
    const message = `min_tokens: expected at most max_tokens (${maxTokens}), got ${minTokens}`;
    throw new ApiError('invalid_value', message, { param: 'min_tokens' });
  }
  return {
    ...(bias
      ? { logitBias: Object.entries(bias).map(([id, by]) => [Number(id), by] as [number, number]) }
      : {}),
    ...(minTokens ? { minTokens } : {}),
    ...(stopTokenIds && stopTokenIds.length > 0 ? { stopTokenIds } : {}),
  };
}

function topLogprobs({ logprobs, top_logprobs: top }: SamplingBody): number | null {
  if (logprobs === true) return top ?? 0;
  if (top === undefined) return null;
  throw new ApiError('invalid_value', 'top_logprobs: expected with logprobs: true, got it alone', {
    param: 'top_logprobs',
  });
}

/** Behind a whole constrained answer nothing but its end may follow. */
function refuseEndless({ ignore_eos: ignoreEos, min_tokens: minTokens = 0 }: SamplingBody): void {
  if (ignoreEos === true) throw endless('ignore_eos', 'false', 'true');
  if (minTokens > 0) throw endless('min_tokens', '0', String(minTokens));
}

const endless = (param: string, expected: string, got: string): ApiError =>
  new ApiError(
    'invalid_value',
    `${param}: expected ${expected} with a response format, got ${got}`,
    {
      param,
    },
  );
