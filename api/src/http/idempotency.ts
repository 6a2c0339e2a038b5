import { createHash } from 'node:crypto';
import type { NewJob } from '@epd/jobs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Digest of the body as it came; only where an Idempotency-Key asks for it. */
    bodySha256: string;
  }
}

const HEADER = 'idempotency-key';
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Reads JSON bodies, and digests them where an Idempotency-Key came along. */
export function installBodyParser(app: FastifyInstance): void {
  app.decorateRequest('bodySha256', '');
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (HEADER in request.headers) {
      request.bodySha256 = createHash('sha256').update(body).digest('hex');
    }
    void parse(request, body.toString(), done);
  });
}

/** Tells the caller that its request came before, and that this is what it made then. */
export function sayReplayed(reply: FastifyReply, repeated: boolean): void {
  if (repeated) void reply.header('idempotency-replayed', 'true');
}

/** Whether the caller may come again for what it has asked for. */
export const mayComeAgain = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  headers[HEADER] !== undefined;

/** The caller's key, within the kind of route it came by. Throws `invalid_header`. */
export function idempotencyOf(
  request: Pick<FastifyRequest, 'headers' | 'bodySha256'>,
  kind: string,
): NewJob['idempotency'] {
  const key = request.headers[HEADER];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new ApiError(
      'invalid_header',
      'Idempotency-Key: expected 1 to 255 visible ASCII characters',
    );
  }
  return { key: `${kind} ${key}`, bodySha256: request.bodySha256 };
}
