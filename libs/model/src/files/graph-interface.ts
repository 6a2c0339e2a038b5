import { open, type FileHandle } from 'node:fs/promises';

/** What a graph is given and gives, by name. */
export interface GraphInterface {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Numbers of protobuf fields in ONNX: the graph in a model, its inputs and outputs, the name of one. */
const GRAPH = 7;
const INPUT = 11;
const OUTPUT = 12;
const NAME = 1;
/** Kinds of protobuf fields: a number, eight bytes, so many bytes, four bytes. */
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];
/** A tag and a length take two numbers, of ten bytes at most. */
const HEAD_BYTES = 20;

/**
 * The names at a graph's edges, read from its file by stepping over everything else: weights may be
 * gigabytes. Null for a file that is no ONNX graph.
 */
export async function readGraphInterface(path: string): Promise<GraphInterface | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const graph = await findField(file, { start: 0, end: size }, GRAPH);
    if (graph === null) return null;
    const inputs: string[] = [];
    const outputs: string[] = [];
    for await (const field of fields(file, graph)) {
      if (field.number === INPUT) inputs.push(await nameOf(file, field));
      if (field.number === OUTPUT) outputs.push(await nameOf(file, field));
    }
    return { inputs, outputs };
  } finally {
    await file.close();
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}
type Field = Range & { readonly number: number };

async function findField(file: FileHandle, range: Range, number: number): Promise<Range | null> {
  for await (const field of fields(file, range)) if (field.number === number) return field;
  return null;
}

/** The fields that hold bytes. Ends at the first that is none of protobuf's. */
async function* fields(file: FileHandle, { start, end }: Range): AsyncGenerator<Field> {
  const head = Buffer.alloc(HEAD_BYTES);
  for (let at = start; at < end;) {
    await file.read(head, 0, HEAD_BYTES, at);
    const tag = varint(head, 0);
    const kind = tag.value % 8;
    const value = varint(head, tag.bytes);
    const body = at + tag.bytes + value.bytes;
    if (kind === VARINT) at = body;
    else if (kind === FIXED64) at += tag.bytes + 8;
    else if (kind === FIXED32) at += tag.bytes + 4;
    else if (kind === BYTES) {
      at = body + value.value;
      yield { number: Math.floor(tag.value / 8), start: body, end: at };
    } else return;
  }
}

function varint(bytes: Buffer, offset: number): { value: number; bytes: number } {
  let value = 0;
  for (let index = 0; index < HEAD_BYTES / 2; index += 1) {
    const byte = bytes[offset + index] ?? 0;
    value += (byte % 128) * 128 ** index;
    if (byte < 128) return { value, bytes: index + 1 };
  }
  return { value, bytes: HEAD_BYTES / 2 };
}

async function nameOf(file: FileHandle, field: Range): Promise<string> {
  const name = await findField(file, field, NAME);
  if (name === null) return '';
  const { buffer } = await file.read(Buffer.alloc(name.end - name.start), 0, null, name.start);
  return buffer.toString('utf8');
}
