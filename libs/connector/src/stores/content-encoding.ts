import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/**
 * The body as it was before its server compressed it, though nobody asked it to: null where it is not
 * compressed. Throws for an encoding that is not known. Whoever reads it has to bound it: a few bytes may
 * become very many.
 */
export function decompressed(body: Readable, encoding: string | undefined): Readable | null {
  const name = (encoding ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return null;
  if (!Object.hasOwn(DECODERS, name)) throw new Error(`The body is encoded as ${name}`);
  const decoder = DECODERS[name as keyof typeof DECODERS]();
  body.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => body.destroy());
  return body.pipe(decoder);
}
