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

/** Version of the content of `__metadata__`. Files of an unknown version are foreign. */
const FORMAT = 'epd-ec-2';

/** By version: the field that verifies the payload, and its expected value. */
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
 * ignores, what a reader needs to verify the bytes. The payload is not copied.
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
      `${data.byteLength} bytes are not a ${dtype} embedding of [${rows}, ${width}]`,
    );
  }
  return safetensorsParts(
    { [TENSOR]: { dtype, shape: [rows, width], data } },
    { mm_hash: mmHash, fingerprint, ...seal({ mmHash, fingerprint }, embedding, secret) },
  );
}

/** The field of the file's metadata that verifies the payload. */
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
 * The embedding in the file, if it matches the spec and is undamaged. Its data is a view of the
 * file. Throws `SafetensorsError` with the reason otherwise. With `acceptForeign`, a file without
 * our metadata (vLLM's own) passes by its layout and shape alone. With `secret`, a file passes only
 * if it is tagged with that key.
 */
export function readEmbeddingFile(
  file: Uint8Array,
  spec: EmbeddingSpec,
  options: { readonly acceptForeign: boolean; readonly secret?: string | undefined },
): Embedding {
  const { metadata, tensors } = readSafetensors(file);
  const tensor = tensors.get(TENSOR);
  if (!tensor || tensors.size !== 1)
    refuse('layout', `The file must hold ${TENSOR} and no other tensor`);
  const embedding = checkShape(tensor, spec);
  if (options.secret !== undefined) return checkSeal(metadata, spec, embedding, options.secret);
  if (metadata['format'] === undefined && options.acceptForeign) return embedding;
  const check = checkMetadata(metadata, spec);
  if (metadata[check.field] !== check.of(tensor.data)) refuse('digest', 'The payload is damaged');
  return embedding;
}

function checkShape({ dtype, shape, data }: SafetensorsTensor, spec: EmbeddingSpec): Embedding {
  if (!isEmbeddingDtype(dtype)) return refuse('dtype', `${dtype} is not an embedding type`);
  const [rows, width] = shape;
  if (shape.length !== 2 || rows === undefined || width === undefined || rows === 0) {
    return refuse('shape', `[${shape.join()}] is not a matrix`);
  }
  if (width !== spec.width) refuse('shape', `The width is ${width}, expected ${spec.width}`);
  if (spec.rows !== undefined && rows !== spec.rows) {
    refuse('shape', `There are ${rows} rows, expected ${spec.rows}`);
  }
  return { rows, width, dtype, data };
}

function checkMetadata(metadata: Readonly<Record<string, string>>, spec: EmbeddingSpec): Check {
  const check = CHECKS.get(metadata['format']);
  if (!check) return refuse('foreign', 'The file has no known metadata');
  checkName(metadata, spec);
  return check;
}

function checkSeal(
  metadata: Readonly<Record<string, string>>,
  spec: EmbeddingSpec,
  embedding: Embedding,
  secret: string,
): Embedding {
  if (metadata['format'] !== KEYED_FORMAT)
    refuse('untagged', "The file is not tagged with the fleet's key");
  checkName(metadata, spec);
  const tag = keyedTag(secret, metadata['salt'] ?? '', contextOf(spec, embedding), embedding.data);
  if (metadata['gmac'] !== tag) refuse('digest', 'The payload does not match its tag');
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
