import type { Job, JobStore } from '@epd/jobs';
import { followJob } from '../../core/streams/follow-job.ts';
import { HEARTBEAT_MS, SSE_HEARTBEAT, sseEvent } from '../../http/sse.ts';
import { responseEvents } from './events.ts';

/** A response's stream after the event with the given number; -1: from its beginning. */
export async function* responseFrames(
  jobs: JobStore,
  job: Job,
  startingAfter: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const events = followJob({ jobs, id: job.id, afterSeq: 0, signal, idleMs: HEARTBEAT_MS });
  let sequenceNumber = 0;
  for await (const event of responseEvents(jobs, job, events)) {
    if (event === null) {
      yield SSE_HEARTBEAT;
      continue;
    }
    const { type, ...fields } = event;
    const data = { type, sequence_number: sequenceNumber, ...fields };
    if (sequenceNumber > startingAfter) yield sseEvent(data, { id: sequenceNumber, event: type });
    sequenceNumber += 1;
  }
}
