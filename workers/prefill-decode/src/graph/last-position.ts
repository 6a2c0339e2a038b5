import { int64Tensor, node, producersOf, type GraphParts, type Node } from '@epd/graph';

/** Elementwise operators after the head. */
const ELEMENTWISE = new Set(['Cast', 'Mul', 'Div', 'Tanh', 'Identity', 'Add', 'Clip']);
const HEADS = new Set(['MatMul', 'MatMulNBits', 'FusedMatMul']);

/**
 * Makes the graph compute logits only where they are needed: a new input `last_index` (B) names one
 * position per row, gathered before the vocabulary projection if that is found (it is most of a
 * short prefill), else after it. `logits` becomes (B, V).
 */
export function takeLastPosition(graph: GraphParts, logits: string): void {
  const at = projectionOf(graph, logits);
  graph.initializer.push(int64Tensor('epd.last.axis', [1], [1]));
  const index = node('Unsqueeze', ['last_index', 'epd.last.axis'], ['epd.last.index']);
  if (at) {
    const hidden = at.input?.[0] ?? '';
    at.input?.splice(0, 1, 'epd.last.hidden');
    graph.node.splice(graph.node.indexOf(at), 0, index, gather(hidden, 'epd.last.hidden'));
    return;
  }
  const producer = producersOf(graph).get(logits);
  producer?.output?.splice(producer.output.indexOf(logits), 1, 'epd.logits.all');
  graph.node.push(index, gather('epd.logits.all', logits));
}

function projectionOf(graph: GraphParts, logits: string): Node | null {
  const producers = producersOf(graph);
  let found = producers.get(logits);
  while (found && ELEMENTWISE.has(found.opType ?? ''))
    found = producers.get(found.input?.[0] ?? '');
  return found && HEADS.has(found.opType ?? '') ? found : null;
}

function gather(from: string, to: string): Node {
  return node('GatherND', [from, 'epd.last.index'], [to], { batch_dims: 1 });
}
