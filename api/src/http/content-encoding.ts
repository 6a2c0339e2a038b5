import type { Readable } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';

/** Others have windows of many megabytes, which a request of a few bytes can ask for. */
const DECODERS = { gzip: createGunzip, deflate: createInflate } as const;
const MAX_SHOWN_CHARACTERS = 40;

/** Whether the body came as it is, so that its announced length is the one it has. */
const isPlain = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  ['', 'identity'].includes(headers['content-encoding']?.trim().toLowerCase() ?? '');

/**
 * The body as it was before its `Content-Encoding`. Throws `unsupported_media_type`. What is wrong with the encoded
 * bytes, or ends them early, is an error of the stream.
 */
export function decodedBody(request: FastifyRequest, stream: Readable): Readable {
  if (isPlain(request)) return stream;
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const decoder = DECODERS[encoding as keyof typeof DECODERS]?.();
  if (decoder === undefined) throw unsupported(encoding, Object.keys(DECODERS).join(' or '));
  // Not by a pipeline: that would end the connection before the answer is read.
  const fail = (cause?: Error): void => {
    if (!stream.readableEnded) decoder.destroy(cause ?? new Error('the body ended early'));
  };
  stream.once('error', fail).once('close', fail);
  return stream.pipe(decoder);
}

/** For bodies that are read only as they are. Throws `unsupported_media_type`. */
export function refuseEncoded(request: FastifyRequest): void {
  if (isPlain(request)) return;
  throw unsupported(request.headers['content-encoding'] ?? '', 'none for this body');
}

function unsupported(encoding: string, expected: string): ApiError {
  const shown = JSON.stringify(encoding.slice(0, MAX_SHOWN_CHARACTERS));
  const message = `Content-Encoding: expected ${expected}, got ${shown}`;
  return new ApiError('unsupported_media_type', message);
}
