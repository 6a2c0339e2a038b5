import { keepDrafts, type ScheduledTokens } from './scheduled-tokens.ts';
import type { Sequence } from '../sequences/sequence.ts';

/**
 * More answers than these decode without drafts: a draft's run reads all weights for one answer, for
 * which the others wait, while a further row of the common run costs little.
 */
export const DRAFT_ROWS_MAX = 2;
/** Beside a neighbour, fewer drafts would not pay for a run of their own. */
const SHARED_DRAFTS_MIN = 4;

/**
 * Which tokens a step computes ahead of what was sampled. Drafts follow from an answer's newest token,
 * so they are made while no step is in flight, and nothing is scheduled while theirs is: how many
 * are kept decides what comes next.
 */
export class Drafting {
  /** Draft tokens computed since the start, and those of them that were kept. */
  readonly counts = { computed: 0, kept: 0 };
  /** Maximum drafts of a sequence in a step; 0: none. */
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Nothing should be scheduled before the step in flight is settled. */
  awaits(inFlight: readonly ScheduledTokens[], running: readonly Sequence[]): boolean {
    if (inFlight.some(({ drafts }) => drafts.length > 0)) return true;
    if (this.#most === 0) return false;
    const decoding = running.filter((sequence) => sequence.decoding);
    return decoding.length <= DRAFT_ROWS_MAX && decoding.some(({ drafts }) => drafts?.copies);
  }

  /** For one of `rows` that decode, in slots of `slotLength` tokens: no draft lengthens them. */
  draftsOf(sequence: Sequence, rows: number, slotLength: number): readonly number[] {
    if (rows > DRAFT_ROWS_MAX || sequence.awaited > 0) return [];
    const { length, generated, sampling } = sequence;
    // The last token is sampled after all drafts, and no draft.
    const room = Math.min(slotLength - length, sampling.maxTokens - generated - 1);
    const drafts = sequence.drafts?.next(Math.min(room, this.#most)) ?? [];
    return rows > 1 && drafts.length < Math.min(SHARED_DRAFTS_MIN, this.#most) ? [] : drafts;
  }

  /** The sequences have got the tokens of the settled step: its drafts are kept or discarded. */
  settle(work: readonly ScheduledTokens[]): void {
    for (const item of work) {
      if (item.drafts.length === 0) continue;
      this.counts.computed += item.drafts.length;
      this.counts.kept += keepDrafts(item);
    }
  }
}
