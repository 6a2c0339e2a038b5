import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { ModelFolder } from './model-folder.ts';

/** Raised when the same files should no longer give the same fingerprint. */
const FORMAT = 'epd-model-fingerprint-1';

/**
 * Names what an embedding depends on besides the image: sha256, in hex, over the vision encoder's
 * graph and external weights and over the configuration that shapes its output. Null when the folder
 * holds no vision encoder. Reads whole files, a piece at a time.
 */
export async function fingerprint(folder: ModelFolder): Promise<string | null> {
  const encoder = folder.onnx.present.vision_encoder;
  if (encoder === undefined) return null;
  const hash = createHash('sha256');
  addField(hash, FORMAT);
  addField(hash, canonicalJson(folder.model.shaping));
  for (const path of [encoder.path, ...encoder.dataPaths]) addField(hash, await digestFile(path));
  return hash.digest('hex');
}

/** With its length first, so that fields cannot run into each other. */
function addField(hash: Hash, field: string): void {
  const bytes = Buffer.from(field);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  hash.update(length).update(bytes);
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Members in order of name: a file that was only rewritten keeps its fingerprint. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
