import { joinProducts } from './join-products.ts';
import { takeLogitPositions } from './logit-positions.ts';
import { separateRows } from './separate-rows.ts';
import {
  ELEMENT,
  MICROSOFT,
  NotRewritableError,
  elementType,
  fixedSize,
  floatAttribute,
  graphOf,
  int64Tensor,
  intAttribute,
  rank,
  prune,
  valueInfo,
  type GraphParts,
  type Model,
  type Node,
} from '@epd/graph';
import {
  sharedNodes,
  sharedTensors,
  twoPartAttention,
  windowTensor,
  type AttentionShape,
  type LayerNames,
} from './two-part-attention.ts';

/** Incremented with every change of the pass's output, so that cached graphs are rebuilt. */
export const PASS_VERSION = 5;

export const isGroupQueryAttention = (node: Node): boolean =>
  node.opType === 'GroupQueryAttention' && node.domain === MICROSOFT;

/**
 * Turns each `GroupQueryAttention` into two-part attention, products that scale rows together into such
 * that do not, and quantized products of the same activations into one, in place. Inputs become
 * `inputs_embeds` (B,S,D), `position_ids` (B,S, or (3,B,S) as exported), `past_lengths` (B),
 * `logit_positions` (N,2) and the past keys and values
 * (B,KV,T,H), of which row b holds `past_lengths[b]` tokens, left-aligned; outputs become `logits`
 * (N,V) and `new.N.key/value` (B,KV,S,H). Throws `NotRewritableError`.
 */
export function rewrite(model: Model): void {
  const graph = graphOf(model);
  if (opset(model) < OPSET_MIN) throw new NotRewritableError(`opset ${opset(model)}`);
  const attentions = graph.node.filter(isGroupQueryAttention);
  if (attentions.length === 0) throw new NotRewritableError('no GroupQueryAttention in the graph');
  for (const node of attentions) refuseUnknownForms(node);
  const shape = shapeOf(graph, attentions);
  separateRows(graph);
  joinProducts(graph);
  replaceAttention(graph, attentions, shape);
  keepAllLogits(graph);
  takeLogitPositions(graph, 'logits');
  declareInterface(graph, attentions.length, shape);
  prune(graph);
  refuseLeftovers(graph);
  // Recorded shapes of inner values belong to the old graph.
  graph.valueInfo = [];
}

/** From this opset on, `Unsqueeze` and `Split` take their sizes as inputs. */
const OPSET_MIN = 13;

function opset(model: Model): number {
  const standard = model.opsetImport.find((entry) => !entry.domain || entry.domain === 'ai.onnx');
  return Number(standard?.version ?? 0);
}

function refuse(what: string): never {
  throw new NotRewritableError(`GroupQueryAttention with ${what}`);
}

function refuseUnknownForms(node: Node): void {
  if (floatAttribute(node, 'softcap', 0) !== 0) refuse('a soft cap');
  if (intAttribute(node, 'smooth_softmax', 0) > 0) refuse('a smooth softmax');
  const further = (node.input ?? [])
    .slice(9)
    .filter((name) => name !== '' && name !== 'position_ids');
  if (further.length > 0) refuse(`unsupported inputs: ${further.join(', ')}`);
}

function shapeOf(graph: GraphParts, attentions: readonly Node[]): AttentionShape {
  const [first] = attentions;
  const past = graph.input.find((input) => input.name === first?.input?.[3]);
  if (!first || !past) throw new NotRewritableError('the past keys are not an input of the graph');
  const headDim = fixedSize(past, 3);
  const kvHeads = intAttribute(first, 'kv_num_heads', 0);
  const heads = intAttribute(first, 'num_heads', 0);
  const dataType = elementType(past);
  if (headDim === null) throw new NotRewritableError('the graph does not state the head size');
  if (dataType !== ELEMENT.float && dataType !== ELEMENT.float16) {
    throw new NotRewritableError(`keys of element type ${dataType}`);
  }
  const cos = graph.initializer.find((tensor) => tensor.name === first.input?.[7]);
  const rotaryDim = cos ? 2 * Number(cos.dims?.[1] ?? 0) : headDim;
  return { heads, kvHeads, headDim, dataType, rotaryDim };
}

function replaceAttention(
  graph: GraphParts,
  attentions: readonly Node[],
  shape: AttentionShape,
): void {
  graph.initializer.push(...sharedTensors(shape));
  const layers = new Map(attentions.map((node, layer) => [node, layer]));
  const rewritten = graph.node.flatMap((node) => {
    const layer = layers.get(node);
    if (layer === undefined) return [node];
    const { nodes, tensors } = twoPartAttention(node, shape, layerNames(node, layer));
    graph.initializer.push(...tensors);
    return nodes;
  });
  const windows = [...new Set(attentions.map(windowOf))].filter((window) => window !== null);
  graph.initializer.push(...windows.map(windowTensor));
  graph.node = [...sharedNodes(attentions[0]?.input?.[3] ?? '', windows), ...rewritten];
}

function layerNames(node: Node, layer: number): LayerNames {
  const [, , , pastKey = '', pastValue = ''] = node.input ?? [];
  const window = windowOf(node);
  const [newKey, newValue] = [`new.${layer}.key`, `new.${layer}.value`];
  return { layer, pastKey, pastValue, newKey, newValue, window };
}

/** The attribute counts the attending token as well as those before it. */
function windowOf(node: Node): number | null {
  const window = intAttribute(node, 'local_window_size', -1);
  return window > 0 ? window - 1 : null;
}

/** Logits are gathered where they are needed: the graph's own selection of logits is not needed. */
function keepAllLogits(graph: GraphParts): void {
  const name = 'num_logits_to_keep';
  if (!graph.input.some((input) => input.name === name)) return;
  graph.input = graph.input.filter((input) => input.name !== name);
  graph.initializer.push(int64Tensor(name, [0], []));
}

function declareInterface(graph: GraphParts, layers: number, shape: AttentionShape): void {
  const logits = graph.output.find((output) => output.name === 'logits');
  if (!logits) throw new NotRewritableError('no output named logits');
  const vocabulary = fixedSize(logits, 2) ?? 'vocabulary';
  const slices = Array.from({ length: layers }, (_, layer) =>
    ['key', 'value'].map((side) =>
      valueInfo(`new.${layer}.${side}`, shape.dataType, [
        'batch_size',
        shape.kvHeads,
        'sequence_length',
        shape.headDim,
      ]),
    ),
  );
  graph.output = [
    valueInfo('logits', elementType(logits), ['logit_count', vocabulary]),
    ...slices.flat(),
  ];
  const inGrid = graph.input.some((input) => input.name === 'position_ids' && rank(input) === 3);
  if (!inGrid) {
    graph.input = graph.input.filter((input) => input.name !== 'position_ids');
    graph.input.push(valueInfo('position_ids', ELEMENT.int64, ['batch_size', 'sequence_length']));
  }
  graph.input.push(
    valueInfo('past_lengths', ELEMENT.int64, ['batch_size']),
    valueInfo('logit_positions', ELEMENT.int64, ['logit_count', 2]),
  );
}

/** An input that is still read and that the engine cannot fill: an unknown form. */
function refuseLeftovers(graph: GraphParts): void {
  const known =
    /^(inputs_embeds|.*deepstack.*|position_ids|past_lengths|logit_positions|past_key_values\.\d+\.(key|value))$/;
  const weights = new Set(graph.initializer.map((tensor) => tensor.name));
  const unknown = graph.input.filter(({ name }) => !known.test(name ?? '') && !weights.has(name));
  if (unknown.length === 0) return;
  throw new NotRewritableError(
    `the graph still reads ${unknown.map((input) => input.name).join(', ')}`,
  );
}
