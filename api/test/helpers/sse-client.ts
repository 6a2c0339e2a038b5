import type { FastifyInstance } from 'fastify';

export interface SseMessage {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown>;
}

/** The events of a stream that has ended; comments are passed over. */
export const readSse = (body: string): SseMessage[] =>
  body
    .split('\n\n')
    .filter((frame) => frame !== '' && !frame.startsWith(':'))
    .map((frame) => {
      const fields = new Map(frame.split('\n').map((line) => splitAt(line)));
      const data = fields.get('data') ?? 'null';
      return {
        id: fields.get('id'),
        event: fields.get('event'),
        data: (data === '[DONE]' ? { done: true } : JSON.parse(data)) as Record<string, unknown>,
      };
    });

const splitAt = (line: string): [string, string] => {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 2)];
};

/** Listens on a free port; closed with the app. */
export const listen = (app: FastifyInstance): Promise<string> =>
  app.listen({ host: '127.0.0.1', port: 0 });
