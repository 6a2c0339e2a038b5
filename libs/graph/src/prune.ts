import { type GraphParts, type Node } from './onnx.ts';

/** Removes what no output needs: nodes, initializers, and inputs. Keeps the order of the nodes. */
export function prune(graph: GraphParts): void {
  const live = liveNames(graph);
  graph.node = graph.node.filter((node) => (node.output ?? []).some((name) => live.has(name)));
  graph.initializer = graph.initializer.filter((tensor) => live.has(tensor.name ?? ''));
  graph.input = graph.input.filter((input) => live.has(input.name ?? ''));
}

function liveNames(graph: GraphParts): Set<string> {
  const producers = producersOf(graph);
  const live = new Set<string>();
  const left = graph.output.map((output) => output.name ?? '');
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (live.has(name)) continue;
    live.add(name);
    const producer = producers.get(name);
    if (producer) left.push(...namesRead(producer));
  }
  return live;
}

export function producersOf(graph: GraphParts): Map<string, Node> {
  const producers = new Map<string, Node>();
  for (const node of graph.node) {
    for (const name of node.output ?? []) if (name !== '') producers.set(name, node);
  }
  return producers;
}

/** Inputs of the node and of the graphs inside it (branches and loops read outer names). */
function namesRead(node: Node): string[] {
  const inner = (node.attribute ?? []).flatMap(({ g, graphs }) => (graphs ?? []).concat(g ?? []));
  const outer = (node.input ?? []).filter((name) => name !== '');
  return [...outer, ...inner.flatMap((graph) => (graph.node ?? []).flatMap(namesRead))];
}
