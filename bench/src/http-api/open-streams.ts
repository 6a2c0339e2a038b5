import { serverSentEvents } from '@epd/ops/local/server-sent-events.ts';
import type { BenchFleet } from '../fleet/fleet.ts';
import { residentMemory } from '../fleet/process-usage.ts';

export interface OpenStreams {
  readonly streams: number;
  /** Of the API's process before and with the streams open; null where the system does not tell. */
  readonly bytesBefore: number | null;
  readonly bytesOpen: number | null;
  /** Milliseconds to open all of them. */
  readonly openMs: number;
  /** Streams that saw their job's end. */
  readonly ended: number;
}

/** Follows unfinished jobs, one stream each, all at once; `resume` then lets the jobs be answered. */
export async function openStreams(
  fleet: BenchFleet,
  ids: readonly string[],
  resume: () => void,
): Promise<OpenStreams> {
  const bytesBefore = await residentMemory(fleet.pid('api'));
  const beganMs = performance.now();
  const bodies = await Promise.all(ids.map((id) => fleet.http.stream(`/v1/jobs/${id}/events`)));
  const openMs = performance.now() - beganMs;
  const bytesOpen = await residentMemory(fleet.pid('api'));
  resume();
  const ends = await Promise.all(bodies.map(reachesEnd));
  return {
    streams: ids.length,
    bytesBefore,
    bytesOpen,
    openMs,
    ended: ends.filter(Boolean).length,
  };
}

async function reachesEnd(body: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const { event } of serverSentEvents(body)) if (event === 'end') return true;
  return false;
}
