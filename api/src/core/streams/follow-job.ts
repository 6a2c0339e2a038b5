import type { JobStore, SequencedEvent } from '@epd/jobs';
import { Inbox } from './inbox.ts';

interface FollowOptions {
  readonly jobs: JobStore;
  readonly id: string;
  /** The last event that the reader has; 0: none. */
  readonly afterSeq: number;
  readonly signal: AbortSignal;
  /**
   * After this time without events it yields `null` and reads the stream again, in case a message
   * was lost.
   */
  readonly idleMs: number;
}

/**
 * A job's events after `afterSeq`: first the stored ones, then the live ones, each once and in
 * order. It subscribes before it reads, so no event is missed in between; sequence numbers reveal
 * repeats and gaps, and a gap is filled from the store. Ends after the job's end, or when aborted.
 */
export async function* followJob(options: FollowOptions): AsyncGenerator<SequencedEvent | null> {
  const { jobs, id, signal, idleMs } = options;
  const inbox = new Inbox<SequencedEvent>(signal);
  let unsubscribe: (() => Promise<void>) | null = null;
  let last = options.afterSeq;
  try {
    unsubscribe = await jobs.subscribe(id, (event) => inbox.push(event));
    let batch = await stored(jobs, id, last);
    for (;;) {
      if (batch === null) return;
      for (const event of batch) {
        if (event.seq <= last) continue;
        last = event.seq;
        yield event;
        if (event.type === 'end') return;
      }
      await inbox.wait(idleMs);
      if (signal.aborted) return;
      const news = inbox.takeAll().filter(({ seq }) => seq > last);
      if (news.length === 0) yield null;
      const gapless = news.every(({ seq }, index) => seq === last + 1 + index);
      batch = gapless && news.length > 0 ? news : await stored(jobs, id, last);
    }
  } finally {
    inbox.close();
    unsubscribe?.().catch(() => undefined); // the reader does not wait for that
  }
}

/** What is stored after `seq`; null when nothing is and nothing more will come. */
async function stored(jobs: JobStore, id: string, seq: number): Promise<SequencedEvent[] | null> {
  const events = await jobs.events(id, seq);
  if (events.length > 0) return events;
  const job = await jobs.get(id);
  if (job === null) return null;
  if (job.ending === null) return [];
  // It may have ended between the two reads; then its end can be read now.
  const rest = await jobs.events(id, seq);
  return rest.length > 0 ? rest : null;
}
