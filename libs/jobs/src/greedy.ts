import type { Sampling } from './job.ts';

/** One token, the likeliest, with nothing that would change what is likely. */
export const GREEDY: Sampling = {
  maxTokens: 1,
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 0,
  stop: [],
  ignoreEos: false,
  n: 1,
  topLogprobs: null,
};
