import type { Sampling } from './job.ts';

/** Greedy sampling of one token, without any setting that changes the logits. */
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
