import { randomUUID } from 'node:crypto';
import type { JobEvent } from './job-event.ts';

/** The stage after the events, whether prefill started with them, and each event as JSON. */
export function writable(
  events: readonly JobEvent[],
): [stage: string, begun: boolean, json: string[]] {
  const stage = events.findLast((event) => event.type === 'stage')?.stage ?? '';
  const begun = events.some((event) => event.type === 'stage' && event.stage === 'prefill');
  return [stage, begun, events.map((event) => JSON.stringify(event))];
}

/** Distinguishes a resent command from a new one; see job-scripts.ts. */
export const writeNumber = (): string => randomUUID();
