import { serverSentEvents } from '@epd/ops/local/server-sent-events.ts';
import type { Answer, Question, Target } from '../question.ts';
import type { HttpClient } from './http.ts';

/** Far above what any question here takes, so that a lost job is reported and not waited for. */
const ANSWER_MS_MAX = 240_000;

interface JobEvent {
  readonly type: string;
  readonly ids?: readonly number[];
  readonly status?: string;
  readonly stage?: string;
  readonly ms?: number;
}

/** What the harness reads of a job. Times in milliseconds as the fleet measured them. */
export interface JobRecord {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly usage: {
    readonly cached_tokens: number;
    readonly prompt_tokens: number;
    readonly images: { readonly encoded: number; readonly reused: number };
  } | null;
  readonly timings: Readonly<Record<string, unknown>>;
}

/** Asks the fleet as a client does: submits a job, then follows its events to the end. */
export class FleetClient implements Target {
  readonly name = 'fleet';
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async ask(question: Question): Promise<Answer> {
    try {
      const { id, answer } = await this.askJob(question);
      return { ...answer, jobId: id };
    } catch (error) {
      throw await this.#http.reason(error);
    }
  }

  /** The answer, and the job's id, under which its record can be read. */
  async askJob(question: Question): Promise<{ readonly id: string; readonly answer: Answer }> {
    const body = jobBody(question);
    const submittedMs = performance.now();
    const { id } = (await this.#http.postJson('/v1/jobs', body)) as { id: string };
    const stream = await this.#http.stream(`/v1/jobs/${id}/events`);
    const late = new Error(`Job ${id} has not ended after ${ANSWER_MS_MAX / 1000} s`);
    const timer = setTimeout(() => stream.destroy(late), ANSWER_MS_MAX);
    try {
      const { status, ...answer } = await readAnswer(stream);
      if (status !== 'completed') throw new Error(await this.#why(id));
      return { id, answer: { submittedMs, ...answer } };
    } finally {
      clearTimeout(timer);
    }
  }

  async record(id: string): Promise<JobRecord> {
    return (await this.#http.getJson(`/v1/jobs/${id}`)) as JobRecord;
  }

  /** When the embedding of a job's image was stored, in milliseconds after acceptance; null: never. */
  async storedMs(id: string): Promise<number | null> {
    const stream = await this.#http.stream(`/v1/jobs/${id}/events`);
    for await (const { data } of serverSentEvents(stream)) {
      const event = JSON.parse(data) as JobEvent;
      if (event.type === 'stage' && event.stage === 'stored') return event.ms ?? null;
      if (event.type === 'end') return null;
    }
    return null;
  }

  async #why(id: string): Promise<string> {
    const { status, error } = await this.record(id);
    return `Job ${id} ended ${status}: ${error?.code ?? 'no reason'}: ${error?.message ?? ''}`;
  }
}

/** Reads past the last event to the end of the body: only then can the connection be used again. */
async function readAnswer(
  stream: AsyncIterable<Uint8Array>,
): Promise<Omit<Answer, 'submittedMs'> & { readonly status: string | undefined }> {
  const tokenMs: number[] = [];
  const tokenIds: number[] = [];
  let end: { readonly status: string | undefined; readonly endedMs: number } | null = null;
  for await (const { data } of serverSentEvents(stream)) {
    const event = JSON.parse(data) as JobEvent;
    const nowMs = performance.now();
    for (const token of event.ids ?? []) {
      tokenIds.push(token);
      tokenMs.push(nowMs);
    }
    if (event.type === 'end') end = { status: event.status, endedMs: nowMs };
  }
  if (end === null) throw new Error('The events stopped before the end');
  return { tokenMs, tokenIds, ...end };
}

/** The request's body; `model` is left to the API, which knows only one. */
export function jobBody({ parts, maxTokens, ignoreEos }: Question): string {
  const content = parts.map((part) =>
    'text' in part
      ? { type: 'text', text: part.text }
      : { type: 'image_url', image_url: { url: part.image.dataUri } },
  );
  return JSON.stringify({
    messages: [{ role: 'user', content }],
    max_tokens: maxTokens,
    temperature: 0,
    ignore_eos: ignoreEos,
    return_token_ids: true,
  });
}
