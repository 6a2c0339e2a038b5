import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 50;

/** A job as the API shows it; what the tests read of it. */
export interface JobView {
  readonly id: string;
  readonly status: string;
  readonly status_detail?: string | null;
  readonly output: { text: string; finish_reason: string; token_ids?: number[] } | null;
  readonly usage: { images: { encoded: number; reused: number }; cached_tokens: number } | null;
  readonly timings: Readonly<Record<string, unknown>>;
  readonly error: { code: string; message: string } | null;
}

const TERMINAL = new Set(['completed', 'failed', 'cancelled', 'expired']);

export async function submit(url: string, body: unknown): Promise<JobView> {
  const response = await fetch(`${url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as JobView;
}

export async function read(url: string, id: string): Promise<JobView> {
  return (await (await fetch(`${url}/v1/jobs/${id}`)).json()) as JobView;
}

/** Waits until the job has ended; the API holds each question for a while, so that nobody polls in a rush. */
export async function ended(url: string, id: string, withinMs = 60_000): Promise<JobView> {
  const last = performance.now() + withinMs;
  for (;;) {
    const response = await fetch(`${url}/v1/jobs/${id}`, { headers: { prefer: 'wait=10' } }).catch(
      () => null, // an API that is being restarted
    );
    const job = response?.ok ? ((await response.json()) as JobView) : null;
    if (job !== null && TERMINAL.has(job.status)) return job;
    if (performance.now() > last) throw new Error(`${id} is ${job?.status}: ${job?.status_detail}`);
    await sleep(RETRY_MS);
  }
}

export const ask = async (url: string, body: unknown): Promise<JobView> =>
  ended(url, (await submit(url, body)).id);
