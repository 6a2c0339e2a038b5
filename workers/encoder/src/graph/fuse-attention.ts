import { GraphIndex, MICROSOFT, intsAttribute, node, type GraphParts, type Node } from '@epd/graph';

/**
 * Fuses decomposed attention (transposes, product, scale, mask, softmax, product) into one
 * `MultiHeadAttention`, which never materializes the score matrix. Drops a mask that is added to
 * the scores if it derives from the graph's pixel mask: tiles are always full. Returns how many it
 * fused.
 */
export function fuseAttention(graph: GraphParts): number {
  let fused = 0;
  for (const softmax of graph.node.filter(({ opType }) => opType === 'Softmax')) {
    const found = read(new GraphIndex(graph), graph, softmax);
    if (found === null) continue;
    const { query, key, value, heads, scale, last } = found;
    const attributes = { num_heads: heads, scale: { float: scale } };
    const inputs = [query, key, value];
    const whole = node('MultiHeadAttention', inputs, last.output ?? [], attributes, MICROSOFT);
    graph.node.splice(graph.node.indexOf(last), 1, whole);
    fused += 1;
  }
  return fused;
}

interface Attention {
  /** Each (batch, tokens, heads · dim), before it is split into heads. */
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly heads: number;
  readonly scale: number;
  /** The node that joins the heads again. */
  readonly last: Node;
}

function read(index: GraphIndex, graph: GraphParts, softmax: Node): Attention | null {
  const scores = scoresOf(index, graph, softmax.input?.[0] ?? '');
  const context = contextOf(index, softmax.output?.[0] ?? '');
  if (!scores || !context) return null;
  const query = splitHeads(index, scores.product.input?.[0] ?? '', [QUERY]);
  const key = splitHeads(index, scores.product.input?.[1] ?? '', [KEY, QUERY]);
  const value = splitHeads(index, context.product.input?.[1] ?? '', [QUERY]);
  if (!query || !key || !value) return null;
  return {
    query: query.from,
    key: key.from,
    value: value.from,
    heads: query.heads,
    scale: scores.scale * query.scale * key.scale,
    last: context.last,
  };
}

/** (batch, tokens, heads, dim) to (batch, heads, tokens, dim), or straight to its transpose. */
const QUERY = '0,2,1,3';
const KEY = '0,2,3,1';
const TRANSPOSE = '0,1,3,2';

/** Walks back from the softmax input to the product of queries and keys. */
function scoresOf(
  index: GraphIndex,
  graph: GraphParts,
  name: string,
): { product: Node; scale: number } | null {
  let scale = 1;
  for (let at = index.producer(name); at;) {
    if (at.opType === 'MatMul') return { product: at, scale };
    const step: { name: string; factor: number } | null =
      factorOf(index, at) ?? withoutMask(index, graph, at);
    if (!step) return null;
    scale *= step.factor;
    at = index.producer(step.name);
  }
  return null;
}

/** A product with, or a quotient by, a constant. */
function factorOf(index: GraphIndex, at: Node): { name: string; factor: number } | null {
  const [a = '', b = ''] = at.input ?? [];
  const [byA, byB] = [index.scalar(a), index.scalar(b)];
  if (at.opType === 'Div' && byB !== undefined) return { name: a, factor: 1 / byB };
  if (at.opType !== 'Mul') return null;
  if (byB !== undefined) return { name: a, factor: byB };
  return byA === undefined ? null : { name: b, factor: byA };
}

/** A sum whose other operand derives from the pixel mask. */
function withoutMask(
  index: GraphIndex,
  graph: GraphParts,
  at: Node,
): { name: string; factor: number } | null {
  if (at.opType !== 'Add') return null;
  const [a = '', b = ''] = at.input ?? [];
  if (isOfMask(index, graph, b)) return { name: a, factor: 1 };
  return isOfMask(index, graph, a) ? { name: b, factor: 1 } : null;
}

const BOOL = 9;

/** Whether a value derives from a boolean input of the graph without weights on the way. */
function isOfMask(index: GraphIndex, graph: GraphParts, name: string): boolean {
  const masks = new Set(
    graph.input
      .filter(({ type }) => type?.tensorType?.elemType === BOOL)
      .map((input) => input.name ?? ''),
  );
  const seen = new Set<string>();
  const left = [name];
  let found = false;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (masks.has(next)) found = true;
    const producer = index.producer(next);
    if (producer && COMPUTES.has(producer.opType ?? '')) return false;
    if (producer && producer.opType !== 'Shape') left.push(...(producer.input ?? []));
  }
  return found;
}

/** Operators that do not occur on the way to a mask. */
const COMPUTES = new Set(['MatMul', 'Gemm', 'Conv', 'Softmax', 'LayerNormalization']);

/** Walks from the softmax to the product with the values, and on to where heads are joined. */
function contextOf(index: GraphIndex, name: string): { product: Node; last: Node } | null {
  let product = index.reader(name);
  while (product?.opType === 'Cast') product = index.reader(product.output?.[0] ?? '');
  if (product?.opType !== 'MatMul') return null;
  const turned = index.reader(product.output?.[0] ?? '');
  if (turned?.opType !== 'Transpose' || permutation(turned) !== QUERY) return null;
  const last = index.reader(turned.output?.[0] ?? '');
  return last?.opType === 'Reshape' ? { product, last } : null;
}

/**
 * Walks back through scale, transposes and the split into heads to one tensor (batch, tokens, heads
 * · dim).
 */
function splitHeads(
  index: GraphIndex,
  name: string,
  accepted: readonly string[],
): { from: string; heads: number; scale: number } | null {
  let [at, scale, turns] = [index.producer(name), 1, ''];
  for (; at && at.opType !== 'Reshape';) {
    const factor = factorOf(index, at);
    if (factor) scale *= factor.factor;
    else if (at.opType === 'Transpose') turns = `${permutation(at)}${turns && ' '}${turns}`;
    else return null;
    at = index.producer(factor?.name ?? at.input?.[0] ?? '');
  }
  const heads = at ? headsOf(index, at) : null;
  const isKnown =
    accepted.includes(turns) || (accepted.length > 1 && turns === `${QUERY} ${TRANSPOSE}`);
  if (!at || !heads || !isKnown) return null;
  return { from: at.input?.[0] ?? '', heads, scale };
}

const permutation = (transpose: Node): string => intsAttribute(transpose, 'perm').join();

/** How many heads a tensor is split into: exports give the number of heads, or their size. */
function headsOf(index: GraphIndex, split: Node): number | null {
  const [from = '', shape = ''] = split.input ?? [];
  const [heads, size] = lastSizes(index, shape);
  if (heads > 0) return heads;
  const width = widthOf(index, from);
  return size > 0 && width !== null && width % size === 0 ? width / size : null;
}

/** The last two sizes of a shape, constant or computed by the graph; -1: unknown. */
function lastSizes(index: GraphIndex, shape: string): [number, number] {
  const parts = index.producer(shape);
  const sizes =
    parts?.opType === 'Concat'
      ? (parts.input ?? []).map((part) => index.integers(part)?.[0] ?? -1)
      : (index.integers(shape) ?? []);
  return [sizes.at(-2) ?? -1, sizes.at(-1) ?? -1];
}

/** Values per token of a projection, by its bias or weights. */
function widthOf(index: GraphIndex, name: string): number | null {
  const producer = index.producer(name);
  if (producer?.opType !== 'Add' && producer?.opType !== 'MatMul') return null;
  const constants = (producer.input ?? []).flatMap((each) => index.constant(each) ?? []);
  const width = Number(constants[0]?.dims?.at(-1) ?? 0);
  return width > 0 ? width : null;
}
