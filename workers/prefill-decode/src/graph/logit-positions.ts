import { node, producersOf, type GraphParts, type Node } from '@epd/graph';

/** Elementwise operators after the head. */
const ELEMENTWISE = new Set(['Cast', 'Mul', 'Div', 'Tanh', 'Identity', 'Add', 'Clip']);
const HEADS = new Set(['MatMul', 'MatMulNBits', 'FusedMatMul']);

/**
 * Makes the graph compute logits only where they are needed: a new input `logit_positions` (N,2)
 * lists rows and tokens in them, gathered before the vocabulary projection if that is found (it is
 * most of a short prefill), else after it. `logits` becomes (N, V).
 */
export function takeLogitPositions(graph: GraphParts, logits: string): void {
  const at = projectionOf(graph, logits);
  if (at) {
    const hidden = at.input?.[0] ?? '';
    at.input?.splice(0, 1, 'epd.hidden.wanted');
    graph.node.splice(graph.node.indexOf(at), 0, gather(hidden, 'epd.hidden.wanted'));
    return;
  }
  const producer = producersOf(graph).get(logits);
  producer?.output?.splice(producer.output.indexOf(logits), 1, 'epd.logits.all');
  graph.node.push(gather('epd.logits.all', logits));
}

function projectionOf(graph: GraphParts, logits: string): Node | null {
  const producers = producersOf(graph);
  let found = producers.get(logits);
  while (found && ELEMENTWISE.has(found.opType ?? ''))
    found = producers.get(found.input?.[0] ?? '');
  return found && HEADS.has(found.opType ?? '') ? found : null;
}

function gather(from: string, to: string): Node {
  return node('GatherND', [from, 'logit_positions'], [to]);
}
