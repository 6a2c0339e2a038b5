import type { OutputDelta } from '@epd/jobs';

/**
 * Splits an answer's text into kinds of output: content, reasoning, tool calls. Text comes as it is
 * streamed, in pieces of any length, without stop strings; text that may be the beginning of a mark is held
 * back until it is known. The deltas follow from the text alone, so a resumed answer is parsed anew.
 */
export interface OutputParser {
  /** What comes next is reasoning. */
  readonly isReasoning: boolean;
  push(text: string): OutputDelta[];
  /** The answer is over: what was held back. */
  flush(): OutputDelta[];
}
