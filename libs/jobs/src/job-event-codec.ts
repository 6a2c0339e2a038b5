import type { SequencedEvent } from './job-event.ts';

/** Stream entries `[id, ['e', json]]` as events. Only the scripts write there. */
export function decodeEvents(entries: readonly [string, string[]][]): SequencedEvent[] {
  return entries.map(([, fields]) => decodeEvent(fields[1] ?? '{}'));
}

export const decodeEvent = (json: string): SequencedEvent => JSON.parse(json) as SequencedEvent;
