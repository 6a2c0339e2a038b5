import type { StepRun } from '../../runner/messages.ts';
import { compact } from '../kv/compaction.ts';
import type { Slots } from '../kv/slots.ts';
import { stepRow, type ScheduledTokens } from './scheduled-tokens.ts';

/**
 * A step's runs of the decoder, before the work is sent: one over all decoding rows, whose slots it
 * makes adjacent, one for each row with drafts, which in a common run would make every row as wide,
 * and one for each prefill chunk.
 */
export function stepRuns(slots: Slots, work: readonly ScheduledTokens[]): StepRun[] {
  const decoding = work.filter(({ sequence }) => sequence.decoding);
  const drafted = decoding.filter(({ drafts }) => drafts.length > 0);
  const chunks = work.filter(({ sequence }) => !sequence.decoding);
  const plain = decoding.filter(({ drafts }) => drafts.length === 0);
  return [...commonRun(slots, plain), ...[...drafted, ...chunks].map(runAlone)];
}

function commonRun(slots: Slots, work: readonly ScheduledTokens[]): StepRun[] {
  if (work.length === 0) return [];
  const bySequence = new Map(work.map((item) => [item.sequence, item]));
  const { first, end } = compact(slots, [...bySequence.keys()]);
  const rows = Array.from({ length: end - first }, (_, index) => {
    const owner = slots.ownerOf(first + index);
    const item = owner && bySequence.get(owner);
    return item ? stepRow(item) : null;
  });
  return [{ slot: first, rows }];
}

const runAlone = (item: ScheduledTokens): StepRun => ({
  slot: item.sequence.slot ?? 0,
  rows: [stepRow(item)],
});
