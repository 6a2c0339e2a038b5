import type { Job, JobUsage, TokenLogprob } from '@epd/jobs';
import type { ChoiceLogprobs, CompletionUsage } from './schema.ts';

const NOTHING: JobUsage = {
  promptTokens: 0,
  completionTokens: 0,
  imageTokens: 0,
  cachedTokens: 0,
  images: { encoded: 0, reused: 0 },
};

export function completionUsage(job: Job | null): CompletionUsage {
  const { promptTokens, completionTokens, cachedTokens, imageTokens } =
    job?.ending?.usage ?? NOTHING;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens, image_tokens: imageTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens(job) },
  };
}

/** Of all its answers. */
export const reasoningTokens = (job: Job | null): number =>
  (job?.ending?.choices ?? []).reduce((sum, { output }) => sum + (output?.reasoningTokens ?? 0), 0);

export const choiceLogprobs = (logprobs: readonly TokenLogprob[]): ChoiceLogprobs => ({
  content: logprobs.map((one) => ({ ...logprob(one), top_logprobs: one.top.map(logprob) })),
  refusal: null,
});

const logprob = ({ token, logprob: value }: Pick<TokenLogprob, 'token' | 'logprob'>) => ({
  token,
  logprob: value,
  bytes: [...Buffer.from(token)],
});

/** Names the weights and settings behind an answer. */
export const systemFingerprint = ({ request }: Job): string =>
  `fp_${request.fingerprint.slice(0, 12)}`;

/** The same job under another kind of id: `job_…` is `chatcmpl-…` and `resp_…`. */
export const idAs = (prefix: string, jobId: string): string => prefix + jobId.slice('job_'.length);
