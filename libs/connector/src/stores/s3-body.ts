import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ObjectTooLargeError } from '../errors.ts';
import { copyBytes } from '../shared-bytes.ts';
import type { GetOptions } from './object-store.ts';

const ownMemory = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes);

/** The reply's body in one buffer of the announced size. Throws when the connection ends before. */
export async function readBody(
  reply: GetObjectCommandOutput,
  key: string,
  { maxBytes = Number.POSITIVE_INFINITY, allocate = ownMemory }: GetOptions,
): Promise<Uint8Array> {
  const { Body: stream, ContentLength: bytes } = reply;
  if (!(stream instanceof Readable)) throw new TypeError('The reply has no readable body');
  if (bytes === undefined || bytes > maxBytes) {
    stream.destroy();
    throw new ObjectTooLargeError(key, bytes ?? Number.POSITIVE_INFINITY, maxBytes);
  }
  const body = allocate(bytes);
  let filled = 0;
  // To iterate over a large body takes twice as long as to listen to it.
  stream.on('data', (chunk: Uint8Array) => {
    if (filled + chunk.byteLength > bytes) {
      stream.destroy(new Error('The body is longer than announced'));
      return;
    }
    copyBytes(chunk, body, filled);
    filled += chunk.byteLength;
  });
  await finished(stream);
  if (filled !== bytes) throw new Error(`The body ended after ${filled} of ${bytes} bytes`);
  return body;
}
