import { Agent, request } from 'node:http';
import type { FuzzRequest } from './fuzz-requests.ts';

export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
/** Of an event stream what has come by then is the answer. */
const PATIENCE_MS = 5_000;

/** Sends a request as it is, with paths and headers that `fetch` would mend. */
export function sendRaw(
  port: number,
  { method, url, headers, payload }: FuzzRequest,
): Promise<RawAnswer> {
  const body = typeof payload === 'function' ? payload() : payload;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const options = { agent, port, host: '127.0.0.1', method, path: url };
    const sent = request({ ...options, headers: { ...headers, ...length } }, (response) => {
      const chunks: Buffer[] = [];
      const end = (): void => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      };
      const timer = setTimeout(() => {
        end();
        sent.destroy();
      }, PATIENCE_MS);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', end);
      response.on('error', end);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
