import { setTimeout as sleep } from 'node:timers/promises';
import type { PlannedJob } from '../plans/plan.ts';
import { askAny, type OnRefusal } from './http.ts';
import { jobBody } from './job-body.ts';
import { readStream, type SeenStream } from './sse-reader.ts';

/** Longer than any one fault lasts on a busy machine. */
const SUBMIT_WITHIN_MS = 120_000;
const CANCEL_AFTER_MS_MAX = 1_500;

/** What became of a planned job, as its client saw it. */
export interface ClientRecord {
  readonly job: PlannedJob;
  /** Null: it was not accepted. */
  readonly id: string | null;
  /** Why it was not, or that asking for it went wrong. */
  readonly problem: string | null;
  readonly retries: number;
  readonly stream: SeenStream | null;
  /** When its client began, by the steady clock. */
  readonly sinceMs: number;
  /** Answers that no client should get. */
  readonly refusals: readonly string[];
}

/** Plays one client: submits its job until it is accepted, then acts by its kind. */
export async function playClient(
  urls: readonly string[],
  job: PlannedJob,
  signal: AbortSignal,
): Promise<ClientRecord> {
  const refusals: string[] = [];
  const known = { job, sinceMs: performance.now(), refusals };
  const onRefusal: OnRefusal = (what) => void refusals.push(what);
  try {
    const { id, retries } = await submit(urls, job, onRefusal);
    if (id === null) return { ...known, id, problem: 'refused', retries, stream: null };
    try {
      if (job.kind === 'cancelled') await cancelLater(urls, id, job, onRefusal);
      const reads = job.kind === 'streamed' || job.roll % 5 === 0;
      const stream = reads ? await read(urls, id, job, signal) : null;
      return { ...known, id, problem: null, retries, stream };
    } catch (error) {
      return { ...known, id, problem: (error as Error).message, retries, stream: null };
    }
  } catch (error) {
    return { ...known, id: null, problem: (error as Error).message, retries: 0, stream: null };
  }
}

/** The key makes it safe to send again what may have arrived. */
async function submit(
  urls: readonly string[],
  job: PlannedJob,
  onRefusal: OnRefusal,
): Promise<{ id: string | null; retries: number }> {
  const { status, body, retries } = await askAny(urls, '/v1/jobs', {
    first: job.roll,
    method: 'POST',
    body: JSON.stringify(jobBody(job)),
    headers: { 'idempotency-key': `job-${job.number}` },
    withinMs: SUBMIT_WITHIN_MS,
    onRefusal,
  });
  if (status === 202 || status === 200) return { id: String(body['id']), retries };
  throw new Error(`submission answered ${status}: ${JSON.stringify(body)}`);
}

async function cancelLater(
  urls: readonly string[],
  id: string,
  job: PlannedJob,
  onRefusal: OnRefusal,
): Promise<void> {
  await sleep(job.roll % CANCEL_AFTER_MS_MAX);
  const options = { first: job.roll + 1, method: 'POST', withinMs: SUBMIT_WITHIN_MS, onRefusal };
  const { status, body } = await askAny(urls, `/v1/jobs/${id}/cancel`, options);
  if (status !== 200) throw new Error(`cancel answered ${status}: ${JSON.stringify(body)}`);
}

function read(
  urls: readonly string[],
  id: string,
  { roll }: PlannedJob,
  signal: AbortSignal,
): Promise<SeenStream> {
  return readStream(urls, id, { first: roll, leaveAfter: 3 + (roll % 20), signal });
}
