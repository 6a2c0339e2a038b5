import type { PutObjectCommand } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { partsOf, type ObjectBody } from './object-body.ts';

/** Stands for the body until a request is sent. Not empty, for the SDK takes that for none. */
export const PLACEHOLDER = new Uint8Array(1);

/**
 * Has every attempt of the command send the parts as they lie. The SDK itself tries no request again
 * whose body is a stream, so it is given a buffer, and each attempt a stream of its own. The payload
 * must not be signed, and its length be given.
 */
export function sendInParts(command: PutObjectCommand, body: ObjectBody): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: unknown };
      request.body = Readable.from(partsOf(body), { objectMode: false });
      return next(args);
    },
    { step: 'deserialize', name: 'sendInParts' },
  );
}
