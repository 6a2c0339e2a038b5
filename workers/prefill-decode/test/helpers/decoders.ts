import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import {
  MICROSOFT,
  encodeModel,
  graphOf,
  node,
  readModel,
  valueInfo,
  type GraphParts,
  type Model,
  type Node,
  type Tensor,
} from '@epd/graph';
import { isGroupQueryAttention } from '../../src/graph/rewrite.ts';
import { MODEL_FOLDER } from './golden.ts';

/** Changes the tiny model's decoder into another form that exports have. */
export type Change = (graph: GraphParts) => void;

const INT64 = 7;
const EXTERNAL = 1;
const HEADS = 3;

export const readDecoder = (name = 'decoder_model_merged.onnx'): Promise<Model> =>
  readModel(join(MODEL_FOLDER, 'onnx', name));

/** A folder that is gone after the test. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'epd-graphs-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeDecoder(t: ExecutionContext, ...changes: Change[]): Promise<string> {
  const model = await readDecoder();
  for (const change of changes) change(graphOf(model));
  return writeModel(t, model);
}

export async function writeModel(t: ExecutionContext, model: Model): Promise<string> {
  const path = join(await temporaryFolder(t), 'decoder.onnx');
  await writeFile(path, encodeModel(model));
  return path;
}

/** Writes the decoder with its large tensors in a file beside it. */
export async function writeWithExternalData(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const model = await readDecoder();
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of graphOf(model).initializer) {
    const bytes = tensor.rawData ?? new Uint8Array();
    if (bytes.length < 4096) continue;
    const place = { location: 'decoder.onnx_data', offset: `${offset}`, length: `${bytes.length}` };
    tensor.externalData = Object.entries(place).map(([key, value]) => ({ key, value }));
    tensor.dataLocation = EXTERNAL;
    tensor.rawData = null;
    pieces.push(bytes);
    offset += bytes.length;
  }
  await writeFile(join(folder, 'decoder.onnx_data'), Buffer.concat(pieces));
  await writeFile(join(folder, 'decoder.onnx'), encodeModel(model));
  return join(folder, 'decoder.onnx');
}

/** Query, key and value come out of one product. */
export const packed: Change = (graph) => {
  for (const attention of graph.node.filter(isGroupQueryAttention)) {
    const [q = '', k = '', v = ''] = attention.input ?? [];
    const products = [q, k, v].map((name) => producer(graph, name));
    const weights = products.map((product) => weightsOf(graph, product));
    graph.initializer.push(joined(`${q}.packed.weight`, weights));
    const product = node(
      'MatMul',
      [products[0]?.input?.[0] ?? '', `${q}.packed.weight`],
      [`${q}.packed`],
    );
    graph.node.splice(graph.node.indexOf(attention), 0, product);
    graph.node = graph.node.filter((each) => !products.includes(each));
    attention.input?.splice(0, 3, `${q}.packed`, '', '');
  }
};

/** Rotation is made outside of the operator, from positions that the caller gives. */
export const rotatedBefore: Change = (graph) => {
  graph.input.push(valueInfo('position_ids', INT64, ['batch_size', 'sequence_length']));
  for (const attention of graph.node.filter(isGroupQueryAttention)) {
    const [q = '', k = '', , , , , , cos = '', sin = ''] = attention.input ?? [];
    const turn = (x: string, heads: number): Node =>
      node(
        'RotaryEmbedding',
        [x, 'position_ids', cos, sin],
        [`${x}.turned`],
        { num_heads: heads, interleaved: 0 },
        MICROSOFT,
      );
    graph.node.splice(graph.node.indexOf(attention), 0, turn(q, HEADS), turn(k, 1));
    attention.input?.splice(0, 2, `${q}.turned`, `${k}.turned`);
    attention.input?.splice(7, 2);
    setInt(attention, 'do_rotary', 0);
  }
};

/** A token sees itself and the five before it. */
export const windowed: Change = (graph) => {
  for (const attention of graph.node.filter(isGroupQueryAttention)) {
    setInt(attention, 'local_window_size', 6);
  }
};

/** Scores are squashed, from far above their range: a form that the pass does not know, the same result. */
export const capped: Change = (graph) => {
  for (const attention of graph.node.filter(isGroupQueryAttention)) {
    attention.attribute?.push({ name: 'softcap', type: FLOAT_ATTRIBUTE, f: 1e5 });
  }
};
const FLOAT_ATTRIBUTE = 1;

/** The logits are made by something that is not known to treat positions by themselves. */
export const reshapedLogits: Change = (graph) => {
  const head = producer(graph, 'logits');
  head.output?.splice(0, 1, 'logits.inner');
  graph.node.push(
    node('Shape', ['logits.inner'], ['logits.shape']),
    node('Reshape', ['logits.inner', 'logits.shape'], ['logits']),
  );
};

function setInt(of: Node, name: string, value: number): void {
  const [attribute] = node('', [], ['x'], { [name]: value }).attribute ?? [];
  of.attribute = [
    ...(of.attribute ?? []).filter((each) => each.name !== name),
    ...(attribute ? [attribute] : []),
  ];
}

function producer(graph: GraphParts, name: string): Node {
  const found = graph.node.find(({ output }) => output?.includes(name));
  if (!found) throw new Error(`Nothing makes ${name}`);
  return found;
}

function weightsOf(graph: GraphParts, product: Node): Tensor {
  const found = graph.initializer.find(({ name }) => name === product.input?.[1]);
  if (!found) throw new Error(`${product.name} has no weights`);
  return found;
}

/** Matrices side by side. */
function joined(name: string, parts: readonly Tensor[]): Tensor {
  const rows = Number(parts[0]?.dims?.[0] ?? 0);
  const bytes = Array.from({ length: rows }, (_, row) =>
    parts.map(({ rawData, dims }) => {
      const width = Number(dims?.[1] ?? 0) * 4;
      return Buffer.from(rawData ?? []).subarray(row * width, (row + 1) * width);
    }),
  );
  const columns = parts.reduce((sum, { dims }) => sum + Number(dims?.[1] ?? 0), 0);
  return { name, dataType: 1, dims: [rows, columns], rawData: Buffer.concat(bytes.flat()) };
}
