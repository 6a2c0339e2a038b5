import { open, type FileHandle } from 'node:fs/promises';
import { decodeValueInfo, type ValueInfo } from './onnx.ts';
import { protoFieldAt } from './proto-field.ts';

/** `ModelProto.graph` and `GraphProto.input`. */
export const GRAPH_FIELD = 7;
const INPUT_FIELD = 11;

/** The inputs that a graph's file declares, past its weights. Empty for a file that is no whole graph. */
export async function readInputs(path: string): Promise<ValueInfo[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const [graph] = await fieldsOf(file, GRAPH_FIELD, { start: 0, end: size });
    if (graph === undefined || graph.end > size) return [];
    const inputs = await fieldsOf(file, INPUT_FIELD, graph);
    return await Promise.all(inputs.map((input) => valueInfoAt(file, input)));
  } finally {
    await file.close();
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

async function fieldsOf(file: FileHandle, number: number, within: Range): Promise<Range[]> {
  const found: Range[] = [];
  for (let at = within.start; at < within.end;) {
    const field = await protoFieldAt(file, at);
    if (field === null) return [];
    if (field.number === number) found.push(field);
    at = field.end;
  }
  return found;
}

async function valueInfoAt(file: FileHandle, { start, end }: Range): Promise<ValueInfo> {
  const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
  return decodeValueInfo(buffer);
}
