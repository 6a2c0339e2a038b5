import { open, type FileHandle } from 'node:fs/promises';
import { blocksOf, bytesOf, TYPE_IDS, type GgufType } from './gguf-blocks.ts';

/** A whole number is written as u32, in a list as i32; wrap a number in `float32()` to have it written as f32. */
type Scalar = string | number | { readonly float32: number };
/** A list has elements of one kind. */
export type Metadata = Readonly<Record<string, Scalar | readonly Scalar[]>>;
export const float32 = (value: number): Scalar => ({ float32: value });

export interface GgufTensor {
  readonly name: string;
  readonly type: GgufType;
  /** Rows of `columns` values; a vector is one row. */
  readonly rows: number;
  readonly columns: number;
  readonly isVector?: boolean;
  /** Made when it is written, so that one tensor at a time is in memory. */
  readonly values: () => Float32Array;
}

const VERSION = 3;
const ALIGNMENT = 32;
const VALUE_TYPE = { u32: 4, i32: 5, f32: 6, string: 8, list: 9 } as const;

/** Writes a model file of llama.cpp: head, places of the tensors, then their aligned bytes. */
export async function writeGguf(
  path: string,
  metadata: Metadata,
  tensors: readonly GgufTensor[],
): Promise<void> {
  await using file = await open(path, 'w');
  await file.write(aligned(Buffer.concat([head(metadata, tensors.length), places(tensors)])));
  for (const tensor of tensors) await writeTensor(file, tensor);
}

async function writeTensor(file: FileHandle, { type, values }: GgufTensor): Promise<void> {
  await file.write(aligned(blocksOf(type, values())));
}

function head(metadata: Metadata, tensors: number): Buffer {
  const entries = Object.entries(metadata);
  const pairs = entries.flatMap(([key, value]) => [text(key), typed(value)]);
  return Buffer.concat([
    Buffer.from('GGUF'),
    u32(VERSION),
    u64(tensors),
    u64(entries.length),
    ...pairs,
  ]);
}

function places(tensors: readonly GgufTensor[]): Buffer {
  let offset = 0;
  const parts = tensors.flatMap(({ name, type, rows, columns, isVector }) => {
    // The innermost dimension comes first.
    const dims = isVector ? [columns] : [columns, rows];
    const place = [text(name), u32(dims.length), ...dims.map(u64), u32(TYPE_IDS[type])];
    const at = u64(offset);
    offset += roundUp(bytesOf(type, rows * columns));
    return [...place, at];
  });
  return Buffer.concat(parts);
}

function typed(value: Scalar | readonly Scalar[]): Buffer {
  if (!isList(value)) return Buffer.concat([u32(typeOf(value)), scalar(value)]);
  const kind = typeOf(value[0] ?? 0);
  const element = kind === VALUE_TYPE.u32 ? VALUE_TYPE.i32 : kind;
  const parts = [u32(VALUE_TYPE.list), u32(element), u64(value.length), ...value.map(scalar)];
  return Buffer.concat(parts);
}

const isList = (value: Scalar | readonly Scalar[]): value is readonly Scalar[] =>
  Array.isArray(value);

function typeOf(value: Scalar): number {
  if (typeof value === 'object') return VALUE_TYPE.f32;
  return typeof value === 'string' ? VALUE_TYPE.string : VALUE_TYPE.u32;
}

function scalar(value: Scalar): Buffer {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') return u32(value);
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value.float32);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const roundUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const aligned = (bytes: Uint8Array): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(roundUp(bytes.length) - bytes.length)]);
