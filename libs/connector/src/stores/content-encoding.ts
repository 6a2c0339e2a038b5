import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/**
 * A decoder for a body that the server compressed without being asked; null if it is not
 * compressed. Throws for an unknown encoding. The reader must bound the output: a few bytes may
 * become very many.
 */
export function decompressed(body: Readable, encoding: string | undefined): Readable | null {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return null;
  if (!Object.hasOwn(DECODERS, name))
    throw new Error(`The body has an unsupported encoding: ${name}`);
  const decoder = DECODERS[name as keyof typeof DECODERS]();
  body.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => body.destroy());
  return body.pipe(decoder);
}
