import type { FileHandle } from 'node:fs/promises';

/** Wire types of protobuf that fields of ONNX models and graphs have. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** A tag and a length take no more bytes than this. */
const HEADER_BYTES = 20;

/** Where a field's value lies in a file, in bytes. */
interface ProtoField {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

/** The field whose head is at `at`, of which no more is read: weights may be gigabytes. Null for what is none. */
export async function protoFieldAt(file: FileHandle, at: number): Promise<ProtoField | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, at);
  const head = buffer.subarray(0, bytesRead);
  const tag = varint(head, 0);
  const value = tag && varint(head, tag.next);
  if (!tag || !value) return null;
  const number = Math.floor(tag.value / 8);
  const wireType = tag.value % 8;
  if (wireType === VARINT) return { number, start: at + tag.next, end: at + value.next };
  if (wireType !== LENGTH_DELIMITED) return null;
  const start = at + value.next;
  return { number, start, end: start + value.value };
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
