import { ELEMENT, type GraphParts, type Node, type Tensor } from '../onnx.ts';

/** A product with weights of the graph: [inputs, outputs], row by row. */
export interface Product {
  readonly node: Node;
  readonly weights: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly values: Float32Array;
}

/** What stands in a product's place. */
export interface Replacement {
  readonly nodes: readonly Node[];
  readonly tensors: readonly Tensor[];
}

/** Replaces each product with 32-bit weights, in place; weights that nobody reads then are left out. */
export function replaceProducts(
  graph: GraphParts,
  replace: (product: Product) => Replacement,
): void {
  const weights = new Map(graph.initializer.map((tensor) => [tensor.name ?? '', tensor]));
  const tensors: Tensor[] = [];
  graph.node = graph.node.flatMap((node) => {
    const name = node.input?.[1] ?? '';
    const tensor = weights.get(name);
    if (node.opType !== 'MatMul' || tensor?.dataType !== ELEMENT.float) return [node];
    const [inputs = 0, outputs = 0] = (tensor.dims ?? []).map(Number);
    const values = new Float32Array(Uint8Array.from(tensor.rawData ?? []).buffer);
    const made = replace({ node, weights: name, inputs, outputs, values });
    tensors.push(...made.tensors);
    weights.delete(name);
    return [...made.nodes];
  });
  graph.initializer = [...weights.values(), ...tensors];
}
