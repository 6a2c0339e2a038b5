import { sha256Hex } from '../keys.ts';
import { embeddingBytes, isEmbeddingDtype } from '../dtype.ts';
import type { Embedding, EmbeddingSpec } from '../embedding.ts';
import { SafetensorsError } from '../errors.ts';
import { keyedTag, newSalt, type TagContext } from '../keyed-tag.ts';
import { payloadTag } from '../payload-tag.ts';
import { joined } from '../stores/object-body.ts';
import { readSafetensors, safetensorsParts, type SafetensorsTensor } from '../safetensors.ts';

/** The one tensor of the file, by vLLM's name for it. */
const TENSOR = 'ec_cache';

/** Version of what `__metadata__` holds. Files of an unknown version are foreign. */
const FORMAT = 'epd-ec-2';

/** By version: the field that tells whether the payload is sound, and what it is to hold. */
const CHECKS: ReadonlyMap<string | undefined, Check> = new Map([
  ['epd-ec-1', { field: 'sha256', of: sha256Hex }],
  [FORMAT, { field: 'gmac', of: payloadTag }],
]);

/** The version of files whose payload is tagged with the fleet's key. */
const KEYED_FORMAT = 'epd-ec-3';

interface Check {
  readonly field: string;
  readonly of: (payload: Uint8Array) => string;
}

/**
 * The stored form of an embedding: vLLM's shared-storage file, and in its `__metadata__`, which vLLM
 * ignores, what a reader needs to tell that these are the right bytes. The payload is not copied.
 */
export function embeddingFileParts(
  mmHash: string,
  fingerprint: string,
  embedding: Embedding,
  secret?: string,
): readonly Uint8Array[] {
  const { rows, width, dtype, data } = embedding;
  if (data.byteLength !== embeddingBytes(rows, width, dtype)) {
    throw new TypeError(
      `${data.byteLength} bytes are no ${dtype} embedding of [${rows}, ${width}]`,
    );
  }
  return safetensorsParts(
    { [TENSOR]: { dtype, shape: [rows, width], data } },
    { mm_hash: mmHash, fingerprint, ...seal({ mmHash, fingerprint }, embedding, secret) },
  );
}

/** What in the file's metadata tells whether the payload is sound. */
function seal(name: ItemName, { rows, width, dtype, data }: Embedding, secret?: string) {
  if (secret === undefined) return { format: FORMAT, gmac: payloadTag(data) };
  const salt = newSalt();
  const context = contextOf(name, { rows, width, dtype });
  return { format: KEYED_FORMAT, salt, gmac: keyedTag(secret, salt, context, data) };
}

type ItemName = Pick<EmbeddingSpec, 'mmHash' | 'fingerprint'>;

const contextOf = (
  { mmHash, fingerprint }: ItemName,
  { rows, width, dtype }: Omit<Embedding, 'data'>,
): TagContext => [mmHash, fingerprint, String(rows), String(width), dtype];

/** The same in one piece. */
export const writeEmbeddingFile = (
  mmHash: string,
  fingerprint: string,
  embedding: Embedding,
): Uint8Array => joined(embeddingFileParts(mmHash, fingerprint, embedding));

/**
 * The embedding in the file, if it is the one that the spec names, undamaged. Its data is a view of
 * the file. Throws `SafetensorsError` with the reason otherwise. With `acceptForeign`, a file without
 * our metadata (vLLM's own) passes on its layout and shape alone. With `secret`, a file passes only if it was
 * tagged with it.
 */
export function readEmbeddingFile(
  file: Uint8Array,
  spec: EmbeddingSpec,
  options: { readonly acceptForeign: boolean; readonly secret?: string | undefined },
): Embedding {
  const { metadata, tensors } = readSafetensors(file);
  const tensor = tensors.get(TENSOR);
  if (!tensor || tensors.size !== 1) refuse('layout', `The file does not hold ${TENSOR} alone`);
  const embedding = checkShape(tensor, spec);
  if (options.secret !== undefined) return checkSeal(metadata, spec, embedding, options.secret);
  if (metadata['format'] === undefined && options.acceptForeign) return embedding;
  const check = checkMetadata(metadata, spec);
  if (metadata[check.field] !== check.of(tensor.data)) refuse('digest', 'The payload is damaged');
  return embedding;
}

function checkShape({ dtype, shape, data }: SafetensorsTensor, spec: EmbeddingSpec): Embedding {
  if (!isEmbeddingDtype(dtype)) return refuse('dtype', `${dtype} is no type of embeddings`);
  const [rows, width] = shape;
  if (shape.length !== 2 || rows === undefined || width === undefined || rows === 0) {
    return refuse('shape', `[${shape.join()}] is no matrix`);
  }
  if (width !== spec.width) refuse('shape', `The width is ${width} instead of ${spec.width}`);
  if (spec.rows !== undefined && rows !== spec.rows) {
    refuse('shape', `There are ${rows} rows instead of ${spec.rows}`);
  }
  return { rows, width, dtype, data };
}

function checkMetadata(metadata: Readonly<Record<string, string>>, spec: EmbeddingSpec): Check {
  const check = CHECKS.get(metadata['format']);
  if (!check) return refuse('foreign', 'The file does not say what it holds');
  checkName(metadata, spec);
  return check;
}

function checkSeal(
  metadata: Readonly<Record<string, string>>,
  spec: EmbeddingSpec,
  embedding: Embedding,
  secret: string,
): Embedding {
  if (metadata['format'] !== KEYED_FORMAT) refuse('untagged', 'The file has no tag of the fleet');
  checkName(metadata, spec);
  const tag = keyedTag(secret, metadata['salt'] ?? '', contextOf(spec, embedding), embedding.data);
  if (metadata['gmac'] !== tag) refuse('digest', 'The payload is not what the fleet stored');
  return embedding;
}

function checkName(metadata: Readonly<Record<string, string>>, spec: EmbeddingSpec): void {
  if (metadata['mm_hash'] !== spec.mmHash) refuse('key', 'The file holds another item');
  if (metadata['fingerprint'] !== spec.fingerprint) {
    refuse('fingerprint', 'The embedding is of another model');
  }
}

function refuse(reason: string, message: string): never {
  throw new SafetensorsError(reason, message);
}
