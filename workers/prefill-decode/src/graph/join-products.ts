import {
  GraphIndex,
  int64Tensor,
  intAttribute,
  node,
  type GraphParts,
  type Node,
  type Tensor,
} from '@epd/graph';

/** A product of activations with quantized weights of the graph. */
interface Product {
  readonly node: Node;
  readonly outputs: number;
  /** Weights, scales and, where there are some, zeros: the outputs' rows, one after the other. */
  readonly constants: readonly Tensor[];
}

/**
 * Makes one product of the quantized ones that read the same activations (query, key and value; gate and
 * up), in place: activations are rounded and threads begin once instead of two or three times. Each output
 * is the same sum as before. Weights in a file of their own are not read: such products stay apart. The graph
 * is to be pruned afterwards.
 */
export function joinProducts(graph: GraphParts): void {
  const index = new GraphIndex(graph);
  const products = graph.node.flatMap((each) => productOf(index, each) ?? []);
  const made = new Map<Node, readonly Node[]>();
  for (const members of Map.groupBy(products, keyOf).values()) {
    const [leader] = members;
    if (!leader || members.length === 1) continue;
    const { nodes, tensors } = joined(leader, members);
    graph.initializer.push(...tensors);
    for (const each of members) made.set(each.node, each === leader ? nodes : []);
  }
  graph.node = graph.node.flatMap((each) => made.get(each) ?? [each]);
}

/** Null for what is no such product, and for a form with more than weights, scales and zeros. */
function productOf(index: GraphIndex, of: Node): Product | null {
  const names = (of.input ?? []).slice(1);
  if (of.opType !== 'MatMulNBits' || names.length > 3) return null;
  const constants = names.flatMap((name) => index.constant(name) ?? []);
  const isInline = constants.every(({ rawData }) => rawData?.length);
  if (constants.length < names.length || !isInline) return null;
  return { node: of, outputs: intAttribute(of, 'N', 0), constants };
}

/** What products must have in common. */
function keyOf({ node: of, constants }: Product): string {
  const values = attributesBut(of, 'N')
    .map(({ name, i }) => `${name}=${String(i)}`)
    .toSorted();
  const kinds = constants.map(({ dataType, dims }) => `${dataType}/${dims?.length}`);
  return [of.input?.[0], ...values, ...kinds].join(' ');
}

const attributesBut = ({ attribute }: Node, but: string): NonNullable<Node['attribute']> =>
  (attribute ?? []).filter(({ name }) => name !== but);

function joined(
  leader: Product,
  members: readonly Product[],
): { nodes: Node[]; tensors: Tensor[] } {
  const { node: of } = leader;
  const n = (name: string): string => `epd.joined.${of.output?.[0]}.${name}`;
  const tensors = leader.constants.map((_, at) =>
    oneAfterAnother(
      n(`constant.${at}`),
      members.flatMap(({ constants }) => constants[at] ?? []),
    ),
  );
  const sizes = members.map(({ outputs }) => outputs);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const product: Node = {
    ...of,
    name: n('product'),
    input: [of.input?.[0] ?? '', ...tensors.map(({ name }) => name ?? '')],
    output: [n('sum')],
    attribute: [...attributesBut(of, 'N'), ...(node('', [], [], { N: total }).attribute ?? [])],
  };
  const outputs = members.map((each) => each.node.output?.[0] ?? '');
  const split = node('Split', [n('sum'), n('sizes')], outputs, { axis: -1 });
  return {
    nodes: [product, split],
    tensors: [...tensors, int64Tensor(n('sizes'), sizes, [sizes.length])],
  };
}

function oneAfterAnother(name: string, parts: readonly Tensor[]): Tensor {
  const [first] = parts;
  const rawData = Buffer.concat(parts.map((each) => each.rawData ?? new Uint8Array()));
  const rows = parts.reduce((sum, { dims }) => sum + Number(dims?.[0] ?? 0), 0);
  const dims = [rows, ...(first?.dims ?? []).slice(1).map(Number)];
  return { ...first, name, dims, rawData };
}
