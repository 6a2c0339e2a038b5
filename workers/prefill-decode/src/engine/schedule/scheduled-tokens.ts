import type { StepRow } from '../../runner/messages.ts';
import { gathersFor } from './gathers.ts';
import type { Sequence } from '../sequences/sequence.ts';

/** New tokens of one sequence in a step. */
export interface ScheduledTokens {
  readonly sequence: Sequence;
  /** Tokens before them. */
  readonly from: number;
  readonly count: number;
  /** The tokens reach the end of the sequence: the next one is sampled. */
  readonly sample: boolean;
}

/** The next `count` tokens of the sequence. */
export function nextTokens(sequence: Sequence, count: number): ScheduledTokens {
  const from = sequence.computed;
  return { sequence, from, count, sample: from + count === sequence.length };
}

/** The work as the runner receives it, before it is sent. An awaited token has no id yet. */
export function stepRow({ sequence, from, count, sample }: ScheduledTokens): StepRow {
  const end = from + count;
  return {
    sequence: sequence.key,
    tokens: from < sequence.tokens.length ? sequence.tokens.slice(from, end) : 'sampled',
    past: from,
    positions: sequence.positions(from, end),
    images: gathersFor(sequence.images, from, end),
    sample,
  };
}

/** A step with the work was sent. */
export function send({ sequence, count, sample }: ScheduledTokens): void {
  sequence.computed += count;
  sequence.underWay++;
  if (sample) sequence.awaited++;
}

/** The step was completed, or has failed. */
export function receive({ sequence, sample }: ScheduledTokens): void {
  sequence.underWay--;
  if (sample) sequence.awaited--;
}
