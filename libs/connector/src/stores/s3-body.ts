import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ObjectTooLargeError } from '../errors.ts';
import { copyBytes } from '../shared-bytes.ts';
import { decompressed } from './content-encoding.ts';
import { copyInto } from './object-body.ts';
import type { GetOptions } from './object-store.ts';

const ownMemory = (bytes: number): Uint8Array => Buffer.allocUnsafeSlow(bytes);

/**
 * The response body in one buffer. Gateways that decrypt or compress do not announce its size; then
 * it is read up to the limit. Throws when the connection ends before the body.
 */
export async function readBody(
  reply: GetObjectCommandOutput,
  key: string,
  { maxBytes = Number.POSITIVE_INFINITY, allocate = ownMemory }: GetOptions,
): Promise<Uint8Array> {
  const { Body: stream, ContentLength: bytes, ContentEncoding: encoding } = reply;
  if (!(stream instanceof Readable)) throw new TypeError('The response has no readable body');
  const plain = decompressed(stream, encoding);
  if (plain !== null || bytes === undefined) {
    const chunks = await readUpTo(plain ?? stream, key, maxBytes);
    return copyInto(allocate(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)), chunks);
  }
  if (bytes > maxBytes) {
    stream.destroy();
    throw new ObjectTooLargeError(key, bytes, maxBytes);
  }
  return readAnnounced(stream, allocate(bytes));
}

async function readAnnounced(stream: Readable, body: Uint8Array): Promise<Uint8Array> {
  const bytes = body.byteLength;
  let filled = 0;
  // Iterating over a large body takes twice as long as listening for its data events.
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

async function readUpTo(stream: Readable, key: string, maxBytes: number): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Uint8Array) => {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxBytes) stream.destroy(new ObjectTooLargeError(key, bytes, maxBytes));
  });
  await finished(stream);
  return chunks;
}
