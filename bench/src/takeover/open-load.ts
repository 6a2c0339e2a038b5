import { serverSentEvents } from '@epd/ops/local/server-sent-events.ts';
import { jobBody } from '../fleet/fleet-client.ts';
import type { HttpClient } from '../fleet/http.ts';
import { textOnly } from '../load/workloads.ts';
import type { Seen } from './stalls.ts';

/** Long enough that an answer is under way whenever a worker ends. */
const TOKENS = 1_500;

/** Streams that are kept open: whoever has read one answer to its end asks for the next. */
export class OpenLoad {
  readonly #http: HttpClient;
  readonly #seen = new Map<string, Seen[]>();
  readonly #open = new Set<string>();
  readonly #readers: readonly Promise<void>[];
  #asked = 0;
  #stopped = false;

  constructor(http: HttpClient, streams: number) {
    this.#http = http;
    this.#readers = Array.from({ length: streams }, () => this.#read());
  }

  /** Jobs whose streams have had tokens and have not ended. */
  get underWay(): string[] {
    return [...this.#open].filter((id) => this.#seen.get(id)?.some(({ what }) => what === 'token'));
  }

  /** What has been seen of these jobs' streams. */
  seenOf(ids: readonly string[]): (readonly Seen[])[] {
    return ids.map((id) => this.#seen.get(id) ?? []);
  }

  /** Resolves when every stream has ended. Rejects when one did not end well. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#readers);
  }

  async #read(): Promise<void> {
    while (!this.#stopped) await this.#ask();
  }

  async #ask(): Promise<void> {
    const [question] = textOnly(1, this.#asked++, TOKENS);
    if (question === undefined) return;
    const body = jobBody(question);
    const { id } = (await this.#http.postJson('/v1/jobs', body)) as { id: string };
    const seen: Seen[] = [];
    this.#seen.set(id, seen);
    this.#open.add(id);
    const status = await follow(await this.#http.stream(`/v1/jobs/${id}/events`), seen);
    this.#open.delete(id);
    if (status !== 'completed') throw new Error(`Job ${id} ended ${status}`);
  }
}

/** Notes what comes, and returns how the job ended. */
async function follow(stream: AsyncIterable<Uint8Array>, seen: Seen[]): Promise<string> {
  let status = 'unfinished';
  for await (const { data } of serverSentEvents(stream)) {
    const event = JSON.parse(data) as { type: string; stage?: string; status?: string };
    const atMs = performance.now();
    if (event.type === 'tokens') seen.push({ what: 'token', atMs });
    if (event.type === 'stage' && event.stage === 'resumed') seen.push({ what: 'resumed', atMs });
    if (event.type === 'end') status = event.status ?? status;
  }
  return status;
}
