import { setTimeout as sleep } from 'node:timers/promises';
import { serverSentEvents } from './server-sent-events.ts';

export interface Question {
  readonly picture: Uint8Array;
  readonly mediaType: string;
  readonly text: string;
}

/** The events of a job's stream; fields as in libs/jobs. */
export type JobEvent =
  | { readonly type: 'stage'; readonly stage: string; readonly ms: number; readonly item?: number }
  | { readonly type: 'tokens'; readonly text: string }
  | { readonly type: 'end'; readonly status: string };

/** The finished job, as `GET /v1/jobs/:id` gives it; only what the demo shows. */
export interface FinishedJob {
  readonly id: string;
  readonly status: string;
  readonly output?: { readonly text?: string } | null;
  readonly usage?: {
    readonly prompt_tokens?: number;
    readonly completion_tokens?: number;
    readonly image_tokens?: number;
    readonly images?: { readonly encoded?: number; readonly reused?: number };
  } | null;
  readonly timings?: { readonly ttft_ms?: number };
  readonly error?: { readonly code?: string; readonly message?: string } | null;
}

/** The API's answer was not the expected one. */
export class ApiAnswerError extends Error {
  override readonly name = 'ApiAnswerError';
  readonly code = 'api_answer';
}

const TERMINAL = new Set(['completed', 'failed', 'cancelled', 'expired']);
const LOOK_EVERY_MS = 250;

/** Asks a fleet about a picture; `onEvent` gets what happens as it happens. */
export async function ask(
  url: string,
  question: Question,
  {
    onEvent,
    signal,
  }: { readonly onEvent: (event: JobEvent) => void; readonly signal: AbortSignal },
): Promise<FinishedJob> {
  const { id } = await call<FinishedJob>(`${url}/v1/jobs`, {
    body: await requestOf(url, question),
    signal,
  });
  await follow(`${url}/v1/jobs/${id}/events`, onEvent, signal);
  for (;;) {
    const job = await call<FinishedJob>(`${url}/v1/jobs/${id}`, { signal });
    if (TERMINAL.has(job.status)) return job;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

async function requestOf(url: string, { picture, mediaType, text }: Question): Promise<object> {
  const { data } = await call<{ data: { id: string }[] }>(`${url}/v1/models`, {});
  const image = `data:${mediaType};base64,${Buffer.from(picture).toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url: image } },
    { type: 'text', text },
  ];
  return {
    model: data[0]?.id,
    messages: [{ role: 'user', content }],
    max_tokens: 64,
    temperature: 0,
  };
}

/** Read to its end, which follows the event `end`. If it breaks off, the job's record has the rest. */
async function follow(
  url: string,
  onEvent: (event: JobEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
  if (!response.ok || !response.body) throw await unexpected(url, response);
  for await (const { data } of serverSentEvents(response.body)) {
    onEvent(JSON.parse(data) as JobEvent);
  }
}

async function call<T>(
  url: string,
  { body, signal }: { readonly body?: object; readonly signal?: AbortSignal },
): Promise<T> {
  const response = await fetch(url, {
    ...(body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
    ...(signal && { signal }),
  });
  if (!response.ok) throw await unexpected(url, response);
  return (await response.json()) as T;
}

async function unexpected(url: string, response: Response): Promise<ApiAnswerError> {
  return new ApiAnswerError(
    `${url} answered ${response.status}: ${(await response.text()).slice(0, 2_000)}`,
  );
}
