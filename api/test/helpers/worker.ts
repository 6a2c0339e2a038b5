import type { Claim, Ending, JobStore, TokenLogprob } from '@epd/jobs';

interface Answer {
  readonly pieces: readonly string[];
  readonly finishReason?: 'stop' | 'length';
  readonly logprobs?: boolean;
}

/** Takes a job up as a prefill/decode worker does. */
export async function claimJob(jobs: JobStore, id: string): Promise<Claim> {
  const claim = await jobs.claim(id, 'test-worker');
  if (claim === null) throw new Error(`Job ${id} cannot be claimed`);
  await jobs.append(id, claim.fence, [{ type: 'stage', stage: 'prefill', ms: 1 }]);
  return claim;
}

/** Writes one piece of an answer. Piece k is token k. */
export async function say(jobs: JobStore, claim: Claim, text: string, token: number, choice = 0) {
  const { sampling } = claim.job.request;
  const logprobs = sampling.topLogprobs === null ? {} : { logprobs: [logprobOf(text, token)] };
  return jobs.append(claim.job.id, claim.fence, [
    { type: 'tokens', choice, ids: [token], text, ...logprobs },
  ]);
}

/** Answers a job from beginning to end; every choice with the same pieces. */
export async function answer(
  jobs: JobStore,
  id: string,
  { pieces, finishReason = 'stop' }: Answer,
): Promise<void> {
  const claim = await claimJob(jobs, id);
  const { n } = claim.job.request.sampling;
  for (let choice = 0; choice < n; choice++) {
    for (const [token, text] of pieces.entries()) await say(jobs, claim, text, token, choice);
  }
  await end(jobs, claim, pieces, finishReason);
}

export async function end(
  jobs: JobStore,
  claim: Claim,
  pieces: readonly string[],
  finishReason: 'stop' | 'length' = 'stop',
): Promise<void> {
  const { sampling, images } = claim.job.request;
  const logprobs = sampling.topLogprobs === null ? {} : { logprobs: pieces.map(logprobOf) };
  const choice = {
    text: pieces.join(''),
    finishReason,
    tokenIds: pieces.map((_, token) => token),
    ...logprobs,
  };
  const ending: Ending = {
    status: 'completed',
    choices: Array.from({ length: sampling.n }, () => choice),
    usage: {
      promptTokens: 20,
      completionTokens: pieces.length * sampling.n,
      imageTokens: images.reduce((sum, { tokens }) => sum + tokens, 0),
      cachedTokens: 0,
      images: { encoded: images.length, reused: 0 },
    },
    timings: { queueMs: 1, prefillMs: 2, ttftMs: 3, totalMs: 4, images: [] },
    error: null,
  };
  await jobs.finish(claim.job.id, ending, claim.fence);
}

const logprobOf = (token: string, id: number): TokenLogprob => ({
  id,
  token,
  logprob: -0.5,
  top: [{ id, token, logprob: -0.5 }],
});
