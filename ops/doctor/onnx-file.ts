import { open, type FileHandle } from 'node:fs/promises';
import { GRAPH_FIELD, protoFieldAt } from '@epd/graph';

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
    const field = await protoFieldAt(file, at);
    if (field === null) return at === 0 ? 'it is no ONNX graph' : 'it is damaged';
    graph ||= field.number === GRAPH_FIELD;
    at = field.end;
  }
  if (at > size) return `it ends after ${size} of ${at} bytes: the copy was cut short`;
  return graph ? null : 'it holds no graph';
}
