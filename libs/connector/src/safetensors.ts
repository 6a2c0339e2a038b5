import { SafetensorsError } from './errors.ts';
import { joined } from './stores/object-body.ts';

/** Bytes per element of every type that the format defines in whole bytes. */
const DTYPE_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
};

/**
 * Far above any legitimate header (150 bytes for an embedding); bounds the cost of a hostile one.
 */
const MAX_HEADER_BYTES = 1 << 20;
const LENGTH_BYTES = 8;
const ALIGNMENT = 8;

export interface SafetensorsTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Row-major, little endian. A view of the file's bytes when read. */
  readonly data: Uint8Array;
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/**
 * The file as the reference implementation writes it, header padded to 8 bytes and data without
 * gaps: as the bytes before the data, and each tensor's data uncopied.
 */
export function safetensorsParts(
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  return [encodeHeader(tensors, metadata), ...Object.values(tensors).map(({ data }) => data)];
}

/** The same in one piece. */
export const writeSafetensors = (
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array => joined(safetensorsParts(tensors, metadata));

/**
 * Reads an untrusted file: checks every length against the actual bytes, and the tensors must cover
 * the data exactly. Throws `SafetensorsError`.
 */
export function readSafetensors(file: Uint8Array): SafetensorsFile {
  const headerBytes = readHeaderLength(file);
  const header = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes));
  const data = file.subarray(LENGTH_BYTES + headerBytes);
  const tensors = new Map<string, SafetensorsTensor>();
  const extents: Extent[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, begin, end } = checkEntry(name, entry, data.byteLength);
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
    extents.push({ begin, end });
  }
  checkCoverage(extents, data.byteLength);
  return { metadata: checkMetadata(header['__metadata__']), tensors };
}

interface Extent {
  readonly begin: number;
  readonly end: number;
}

/** With its length before it. */
function encodeHeader(
  tensors: Readonly<Record<string, SafetensorsTensor>>,
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (data.byteLength !== byteLength(dtype, shape)) {
      throw new TypeError(
        `Tensor ${name}: ${data.byteLength} bytes do not fit ${dtype} [${shape.join()}]`,
      );
    }
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Math.ceil(json.byteLength / ALIGNMENT) * ALIGNMENT;
  const padded = Buffer.alloc(LENGTH_BYTES + bytes, ' ');
  padded.writeBigUInt64LE(BigInt(bytes));
  padded.set(json, LENGTH_BYTES);
  return padded;
}

/** NaN for a type that the format does not define. */
function byteLength(dtype: string, shape: readonly number[]): number {
  const perElement = Object.hasOwn(DTYPE_BYTES, dtype) ? DTYPE_BYTES[dtype]! : Number.NaN;
  return shape.reduce((product, size) => product * size, perElement);
}

function readHeaderLength(file: Uint8Array): number {
  if (file.byteLength < LENGTH_BYTES) {
    throw new SafetensorsError(
      'truncated',
      `${file.byteLength} bytes are too few for a header length`,
    );
  }
  const length = readLength(file);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(
      'header',
      `A header of ${length} bytes is longer than ${MAX_HEADER_BYTES}`,
    );
  }
  if (Number(length) > file.byteLength - LENGTH_BYTES) {
    throw new SafetensorsError('truncated', `The file ends inside its header of ${length} bytes`);
  }
  return Number(length);
}

const readLength = (file: Uint8Array): bigint =>
  new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw new SafetensorsError('header', 'The header is not JSON in UTF-8');
  }
  if (!isRecord(header)) throw new SafetensorsError('header', 'The header is not an object');
  return header;
}

/** Shared: creating one takes longer than using it. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The decoder does not accept shared memory, so it gets a copy of some hundred bytes. */
const decodeUtf8 = (bytes: Uint8Array): string => utf8.decode(new Uint8Array(bytes));

function checkEntry(
  name: string,
  entry: unknown,
  dataBytes: number,
): Extent & { dtype: string; shape: readonly number[] } {
  const fail = (what: string): never => {
    throw new SafetensorsError('header', `Tensor ${JSON.stringify(name.slice(0, 80))}: ${what}`);
  };
  if (!isRecord(entry)) return fail('its entry is not an object');
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BYTES, dtype)) return fail('unknown dtype');
  if (!isSizes(shape)) return fail('the shape is not a list of sizes');
  if (!isSizes(offsets) || offsets.length !== 2) return fail('data_offsets are not two numbers');
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataBytes) return fail('data_offsets lie outside the file');
  if (end - begin !== byteLength(dtype, shape)) return fail('data_offsets and shape disagree');
  return { dtype, shape, begin, end };
}

function checkCoverage(extents: Extent[], dataBytes: number): void {
  let covered = 0;
  for (const { begin, end } of extents.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) throw new SafetensorsError('header', 'Tensors overlap or leave a gap');
    covered = end;
  }
  if (covered !== dataBytes) {
    throw new SafetensorsError('header', `${dataBytes - covered} bytes belong to no tensor`);
  }
}

function checkMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new SafetensorsError('header', '__metadata__ does not map strings to strings');
  }
  return metadata as Record<string, string>;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
