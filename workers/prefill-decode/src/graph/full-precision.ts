import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  encodeModel,
  graphOf,
  readModel,
  type GraphParts,
  type Model,
  type Node,
} from '@epd/graph';
import { separateRows } from './separate-rows.ts';

const LEVEL = 'accuracy_level';

/** Whether products of the graph round the activations that they are given. */
export const roundsActivations = ({ node }: GraphParts): boolean =>
  node.some((each) => each.opType === 'MatMulInteger' || levelOf(each) !== undefined);

/**
 * Calls `use` with copies of two graphs that take activations as they are. Rounded ones jump with the
 * last bit of a sum, and two ways to compute the same then differ by far more than their sums do.
 * The copies lie beside the second graph, where the weights of both are, and are gone afterwards.
 */
export async function withFullPrecision<T>(
  original: string,
  rewritten: string,
  use: (original: string, rewritten: string) => Promise<T>,
): Promise<T> {
  const copies = ['original', 'rewritten'].map((name) =>
    join(dirname(rewritten), `full-precision-${name}.onnx`),
  );
  const [first = '', second = ''] = copies;
  try {
    await writeFile(first, encodeModel(await fullPrecision(original)));
    await writeFile(second, encodeModel(await fullPrecision(rewritten)));
    return await use(first, second);
  } finally {
    for (const copy of copies) await rm(copy, { force: true });
  }
}

async function fullPrecision(path: string): Promise<Model> {
  const model = await readModel(path);
  const graph = graphOf(model);
  separateRows(graph);
  for (const each of graph.node)
    each.attribute = (each.attribute ?? []).filter(({ name }) => name !== LEVEL);
  return model;
}

const levelOf = (node: Node): unknown => node.attribute?.find(({ name }) => name === LEVEL);
