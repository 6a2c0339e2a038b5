import { eventually } from '@epd/service/testing';

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

/** Polls until the job has ended. */
export async function ended(url: string, id: string, withinMs = 60_000): Promise<JobView> {
  return eventually(
    async () => {
      const job = await read(url, id);
      if (!TERMINAL.has(job.status))
        throw new Error(`${id} is ${job.status}: ${job.status_detail}`);
      return job;
    },
    { withinMs },
  );
}

export const ask = async (url: string, body: unknown): Promise<JobView> =>
  ended(url, (await submit(url, body)).id);
