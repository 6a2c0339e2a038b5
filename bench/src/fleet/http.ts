import { Agent, request, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const DEATH_SHOWS_MS = 300;

/**
 * A client that costs little: the harness shares its cores with what it measures, and Node's own
 * `fetch` takes several times as long per request.
 */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  readonly #url: string;
  readonly #signal: AbortSignal;

  constructor(url: string, signal: AbortSignal) {
    this.#url = url;
    this.#signal = signal;
  }

  /** Throws when the answer is no success, with what it says. */
  async postJson(path: string, body: string): Promise<unknown> {
    const response = await this.#send('POST', path, body);
    const text = await textOf(response);
    if (isSuccess(response)) return JSON.parse(text);
    throw new Error(`POST ${path} was answered ${response.statusCode}: ${text.slice(0, 500)}`);
  }

  async getJson(path: string): Promise<unknown> {
    const response = await this.#send('GET', path);
    const text = await textOf(response);
    if (isSuccess(response)) return JSON.parse(text);
    throw new Error(`GET ${path} was answered ${response.statusCode}: ${text.slice(0, 500)}`);
  }

  /** The body as it comes; the connection is given back when it has ended, closed when left early. */
  async stream(path: string): Promise<IncomingMessage> {
    const response = await this.#send('GET', path);
    if (isSuccess(response)) return response;
    throw new Error(`GET ${path} was answered ${response.statusCode}`);
  }

  /** Why a request failed: the death of a process, which shows as a broken connection first. */
  async reason(error: unknown): Promise<unknown> {
    await sleep(DEATH_SHOWS_MS);
    return this.#signal.aborted ? this.#signal.reason : error;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(method: string, path: string, body?: string): Promise<IncomingMessage> {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(`${this.#url}${path}`, {
      method,
      headers,
      agent: this.#agent,
      signal: this.#signal,
    });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean =>
  statusCode >= 200 && statusCode < 300;
