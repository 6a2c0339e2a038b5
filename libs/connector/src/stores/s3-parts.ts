import type { PutObjectCommand } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { partsOf, type ObjectBody } from './object-body.ts';

/**
 * Placeholder for the body until a request is sent. Not empty, because the SDK treats that as no
 * body.
 */
export const PLACEHOLDER = new Uint8Array(1);

/**
 * Makes every attempt of the command send the parts without joining them. The SDK does not retry a
 * request whose body is a stream, so it gets a buffer, and each attempt gets its own stream. The
 * payload must not be signed, and its length must be given.
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
