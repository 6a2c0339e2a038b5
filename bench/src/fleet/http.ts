import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool, type Dispatcher } from 'undici';

const DEATH_SHOWS_MS = 300;

/** An answer may take as long as it takes: who waits for one has a limit of its own. */
const NO_LIMIT = 0;

/**
 * A client that costs little, for the harness shares its cores with what it measures: undici's pool takes
 * less for a request than Node's own client, and much less than `fetch`.
 */
export class HttpClient {
  readonly #pool: Pool;
  readonly #signal: AbortSignal;

  /** Once `signal` is aborted every request fails. */
  constructor(url: string, signal: AbortSignal) {
    this.#pool = new Pool(url, {
      connections: null, // as many as there are requests: one waits for none
      pipelining: 1,
      headersTimeout: NO_LIMIT,
      bodyTimeout: NO_LIMIT,
    });
    this.#signal = signal;
    signal.addEventListener('abort', () => void this.#pool.destroy(null), { once: true });
  }

  /** Throws when the answer is no success, with what it says. */
  async postJson(path: string, body: string): Promise<unknown> {
    return jsonOf('POST', path, await this.#send('POST', path, body));
  }

  async getJson(path: string): Promise<unknown> {
    return jsonOf('GET', path, await this.#send('GET', path));
  }

  /** The body as it comes; the connection is given back when it has ended, closed when left early. */
  async stream(path: string): Promise<Readable> {
    const { statusCode, body } = await this.#send('GET', path);
    if (isSuccess(statusCode)) return body;
    await body.dump();
    throw new Error(`GET ${path} was answered ${statusCode}`);
  }

  /** Why a request failed: the death of a process, which shows as a broken connection first. */
  async reason(error: unknown): Promise<unknown> {
    await sleep(DEATH_SHOWS_MS);
    return this.#signal.aborted ? this.#signal.reason : error;
  }

  close(): void {
    void this.#pool.destroy(null);
  }

  #send(method: 'GET' | 'POST', path: string, body?: string): Promise<Dispatcher.ResponseData> {
    if (body === undefined) return this.#pool.request({ method, path });
    const headers = { 'content-type': 'application/json' };
    return this.#pool.request({ method, path, headers, body });
  }
}

async function jsonOf(
  method: string,
  path: string,
  { statusCode, body }: Dispatcher.ResponseData,
): Promise<unknown> {
  const text = await body.text();
  if (isSuccess(statusCode)) return JSON.parse(text);
  throw new Error(`${method} ${path} was answered ${statusCode}: ${text.slice(0, 500)}`);
}

const isSuccess = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;
