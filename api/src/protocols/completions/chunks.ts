import { completionChunks, type ChunkOptions } from '../chat/chunks.ts';
import { endOf } from '../chat/view.ts';
import { textCompletionHead, textLogprobs } from './view.ts';

/** A job's events as the stream of `/v1/completions`. */
export function textChunks(options: ChunkOptions): AsyncGenerator<string> {
  /** Characters that each choice has shown. */
  const shown = new Map<number, number>();
  return completionChunks(options, {
    head: textCompletionHead(options.job),
    opening: () => null,
    pieces: ({ choice: index, text, logprobs }) => {
      const offset = shown.get(index) ?? 0;
      shown.set(index, offset + text.length);
      const shownLogprobs = logprobs === undefined ? null : textLogprobs(logprobs, offset);
      return [{ index, text, finish_reason: null, logprobs: shownLogprobs }];
    },
    closing: (index, choice) => ({
      index,
      text: '',
      finish_reason: endOf(choice),
      logprobs: null,
    }),
  });
}
