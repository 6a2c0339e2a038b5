import type { SequencedEvent } from '@epd/jobs';

/** The tokens that earlier claimants emitted, per answer: a takeover resumes after them. */
export function emittedTokens(events: readonly SequencedEvent[], n: number): number[][] {
  const perChoice = Array.from({ length: n }, (): number[] => []);
  for (const event of events) {
    if (event.type === 'tokens') perChoice[event.choice]?.push(...event.ids);
  }
  return perChoice;
}
