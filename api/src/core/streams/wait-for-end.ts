import type { Job, JobStore } from '@epd/jobs';
import { Inbox } from './inbox.ts';

/** Poll interval: bounds how long a lost message can delay the answer. */
const LOOK_AGAIN_MS = 2_000;

/** The job once it has ended, or its current state after `ms`; null when it was deleted. */
export async function waitForEnd(
  jobs: JobStore,
  id: string,
  ms: number,
  signal: AbortSignal,
): Promise<Job | null> {
  const until = performance.now() + ms;
  const ends = new Inbox<true>(signal);
  let unsubscribe: (() => Promise<void>) | null = null;
  try {
    unsubscribe = await jobs.subscribe(id, ({ type }) => type === 'end' && ends.push(true));
    for (;;) {
      const job = await jobs.get(id);
      const leftMs = until - performance.now();
      if (job === null || job.ending !== null || leftMs <= 0 || signal.aborted) return job;
      await ends.wait(Math.min(leftMs, LOOK_AGAIN_MS));
      ends.takeAll();
    }
  } finally {
    ends.close();
    unsubscribe?.().catch(() => undefined); // the reader does not wait for that
  }
}
