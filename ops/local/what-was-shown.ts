import type { FinishedJob } from './question.ts';

/** What two questions about one picture have shown, explained to newcomers. */
export function whatWasShown(first: FinishedJob, second: FinishedJob): string {
  const { images } = first.usage ?? {};
  const made =
    images?.encoded === 0
      ? 'Its embedding was stored by an earlier run, so no encoder was asked'
      : 'The encoder turned the picture into an embedding and saved it under the hash of its content';
  return [
    '',
    'What happened: the API accepted the picture and queued the question.',
    `${made}; the prefill/decode worker loaded the embedding and wrote the answer.`,
    `The second question found the embedding again: its first token came after ${ms(second)}, the first question's after ${ms(first)}.`,
  ].join('\n');
}

const ms = ({ timings }: FinishedJob): string => `${Math.round(timings?.ttft_ms ?? 0)} ms`;
