import { open, type FileHandle } from 'node:fs/promises';

/** Wire types of protobuf that a field at the top of an ONNX model may have. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** A tag and a length take no more bytes than this. */
const HEADER_BYTES = 20;
/** `ModelProto.graph`. */
const GRAPH_FIELD = 7;

/**
 * What is wrong with a graph's file on the face of it: it was cut short, or is something else, such as
 * the pointer that Git LFS leaves. Null when its fields add up to its size. Reads their heads only.
 */
export async function brokenOnnx(path: string): Promise<string | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    return await fieldsOf(file, size);
  } finally {
    await file.close();
  }
}

async function fieldsOf(file: FileHandle, size: number): Promise<string | null> {
  let at = 0;
  let graph = false;
  while (at < size) {
    const field = await headAt(file, at);
    if (field === null) return at === 0 ? 'it is no ONNX graph' : 'it is damaged';
    graph ||= field.number === GRAPH_FIELD;
    at = field.end;
  }
  if (at > size) return `it ends after ${size} of ${at} bytes: the copy was cut short`;
  return graph ? null : 'it holds no graph';
}

async function headAt(
  file: FileHandle,
  at: number,
): Promise<{ number: number; end: number } | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, at);
  const tag = varint(buffer.subarray(0, bytesRead), 0);
  const value = tag && varint(buffer.subarray(0, bytesRead), tag.next);
  if (!tag || !value) return null;
  const number = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  if (wireType === VARINT) return { number, end: at + value.next };
  if (wireType === LENGTH_DELIMITED) return { number, end: at + value.next + value.value };
  return null;
}

function varint(bytes: Uint8Array, from: number): { value: number; next: number } | null {
  let value = 0;
  for (let at = from; at < bytes.length && at - from < 9; at += 1) {
    const byte = bytes[at]!;
    value += (byte & 0x7f) * 2 ** (7 * (at - from));
    if (byte < 0x80) return { value, next: at + 1 };
  }
  return null;
}
