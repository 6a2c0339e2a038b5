import { setTimeout as sleep } from 'node:timers/promises';
import { serverSentEvents } from '../../local/server-sent-events.ts';

const RETRY_MS = 150;
/** A stream without data or heartbeat for so long counts as dead. */
const SILENT_MS = 40_000;

export interface SeenEvent {
  readonly seq: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Everything that one reader saw of a job, over as many connections as it took. */
export interface SeenStream {
  readonly events: readonly SeenEvent[];
  readonly connections: number;
}

/**
 * Reads a job's events to their end. After every `leaveAfter` events it disconnects and reconnects, at
 * another replica, with the id of the last event; and also whenever it is cut off.
 */
export async function readStream(
  urls: readonly string[],
  id: string,
  { first, leaveAfter, signal }: { first: number; leaveAfter: number; signal: AbortSignal },
): Promise<SeenStream> {
  const events: SeenEvent[] = [];
  for (let connections = 1; ; connections += 1) {
    const url = urls[(first + connections) % urls.length] ?? '';
    const known = await readSome(`${url}/v1/jobs/${id}/events`, events, leaveAfter, signal);
    if (!known) return { events, connections }; // lost with Redis, or it would be a finding
    if (events.at(-1)?.type === 'end' || signal.aborted) return { events, connections };
    await sleep(RETRY_MS);
  }
}

async function readSome(
  url: string,
  events: SeenEvent[],
  leaveAfter: number,
  stop: AbortSignal,
): Promise<boolean> {
  const hangUp = new AbortController();
  let silence = setTimeout(() => hangUp.abort(), SILENT_MS);
  const last = events.at(-1)?.seq;
  try {
    const response = await fetch(url, {
      headers: last === undefined ? {} : { 'last-event-id': String(last) },
      signal: AbortSignal.any([hangUp.signal, stop]),
    });
    if (response.status === 404) return false;
    if (response.status >= 500 && !response.headers.has('retry-after')) {
      throw new StreamRefused(`${url} answered ${response.status}`);
    }
    if (!response.ok || response.body === null) return true;
    let read = 0;
    for await (const { data } of serverSentEvents(response.body)) {
      clearTimeout(silence);
      silence = setTimeout(() => hangUp.abort(), SILENT_MS);
      events.push(JSON.parse(data) as SeenEvent);
      read += 1;
      if (read >= leaveAfter || events.at(-1)?.type === 'end') return true;
    }
  } catch (error) {
    if (error instanceof StreamRefused) throw error; // else it was cut off: the caller comes back
  } finally {
    clearTimeout(silence);
    hangUp.abort();
  }
  return true;
}

/** An answer that no reader should get. */
class StreamRefused extends Error {}
