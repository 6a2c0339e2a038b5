import type { Choice, SequencedEvent } from '@epd/jobs';

/** What a job has written so far, from its stream: for one that has no ending, or none with a text. */
export function partialChoices(
  events: readonly SequencedEvent[],
  n: number,
  finishReason: Choice['finishReason'],
): Choice[] {
  const texts = Array.from({ length: n }, () => ({ text: '', tokenIds: [] as number[] }));
  for (const event of events) {
    if (event.type !== 'tokens') continue;
    const choice = texts[event.choice];
    if (choice === undefined) continue;
    choice.text += event.text;
    choice.tokenIds.push(...event.ids);
  }
  return texts.map(({ text, tokenIds }) => ({ text, tokenIds, finishReason }));
}
