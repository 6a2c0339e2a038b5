import type { StepRow } from '../../runner/messages.ts';
import { gathersFor } from './gathers.ts';
import type { Sequence } from '../sequences/sequence.ts';

/** New tokens of one sequence in a step. */
export interface ScheduledTokens {
  readonly sequence: Sequence;
  /** Tokens before them. */
  readonly from: number;
  readonly count: number;
  /** Guesses of the tokens that follow, computed in the same run. */
  readonly drafts: readonly number[];
  /** The tokens reach the end of the sequence: the next one is sampled. */
  readonly sample: boolean;
}

/** The next `count` tokens of the sequence. */
export function nextTokens(
  sequence: Sequence,
  count: number,
  drafts: readonly number[] = [],
): ScheduledTokens {
  const from = sequence.computed;
  return { sequence, from, count, drafts, sample: from + count === sequence.length };
}

/** The work as the runner receives it, before it is sent. An awaited token has no id yet. */
export function stepRow({ sequence, from, count, drafts, sample }: ScheduledTokens): StepRow {
  const end = from + count;
  return {
    sequence: sequence.key,
    tokens: from < sequence.tokens.length ? sequence.tokens.slice(from, end) : 'sampled',
    past: from,
    positions: sequence.positions(from, end + drafts.length),
    images: gathersFor(sequence.images, from, end),
    drafts,
    sample,
  };
}

/** A step with the work was sent. Until it is received, every draft counts as kept. */
export function send({ sequence, count, drafts, sample }: ScheduledTokens): void {
  sequence.computed += count + drafts.length;
  sequence.underWay++;
  if (sample) sequence.awaited += 1 + drafts.length;
}

/** The step was completed, or has failed. Where it had drafts, nothing counts until `keepDrafts`. */
export function receive({ sequence, from, drafts, sample }: ScheduledTokens): void {
  sequence.underWay--;
  if (sample) sequence.awaited -= 1 + drafts.length;
  if (drafts.length > 0 && sequence.slot !== null) sequence.computed = from;
}

/**
 * The sequence has got the tokens of the completed step. As many of the step's tokens count as were
 * sampled after them: the last known one and the drafts that were kept. Returns how many were kept.
 */
export function keepDrafts({ sequence, from, count }: ScheduledTokens): number {
  const sampled = sequence.tokens.length - from - count;
  // A draft overflowed, and nothing was stored: the next steps run without.
  if (sampled === 0) sequence.drafts = null;
  if (sequence.slot !== null) sequence.cached = sequence.computed = from + sampled;
  return Math.max(0, sampled - 1);
}
