import type { SequencedEvent, TokenLogprob } from '@epd/jobs';

/** The tokens that earlier claimants emitted, per answer: a takeover resumes after them. */
export function emittedTokens(events: readonly SequencedEvent[], n: number): number[][] {
  const perChoice = Array.from({ length: n }, (): number[] => []);
  for (const event of events) {
    if (event.type === 'tokens') perChoice[event.choice]?.push(...event.ids);
  }
  return perChoice;
}

/** The log probabilities of those tokens: only the worker that sampled them knew them. */
export function emittedLogprobs(events: readonly SequencedEvent[], n: number): TokenLogprob[][] {
  const perChoice = Array.from({ length: n }, (): TokenLogprob[] => []);
  for (const event of events) {
    if (event.type === 'tokens') perChoice[event.choice]?.push(...(event.logprobs ?? []));
  }
  return perChoice;
}
