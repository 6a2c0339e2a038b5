import type { NewJob } from '@epd/jobs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

export const IDEMPOTENCY_HEADER = 'idempotency-key';
const KEY = /^[\x21-\x7e]{1,255}$/;

/** Marks a response as that of an earlier request with the same key. */
export function sayReplayed(reply: FastifyReply, repeated: boolean): void {
  if (repeated) void reply.header('idempotency-replayed', 'true');
}

/** Whether the caller may come again for what it has asked for. */
export const mayComeAgain = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  headers[IDEMPOTENCY_HEADER] !== undefined;

/** The caller's key, within the kind of route it came by. Throws `invalid_header`. */
export function idempotencyOf(
  request: Pick<FastifyRequest, 'headers' | 'bodySha256'>,
  kind: string,
): NewJob['idempotency'] {
  const key = request.headers[IDEMPOTENCY_HEADER];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new ApiError(
      'invalid_header',
      'Idempotency-Key: expected 1 to 255 visible ASCII characters',
    );
  }
  return { key: `${kind} ${key}`, bodySha256: request.bodySha256 };
}
