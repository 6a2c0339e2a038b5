import {
  ELEMENT,
  MICROSOFT,
  NotRewritableError,
  floatAttribute,
  floatScalar,
  int64Tensor,
  intAttribute,
  node,
  type Node,
  type Tensor,
} from '@epd/graph';

/** What all layers of a graph have in common. */
export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** ONNX element type of queries, keys and values. */
  readonly dataType: number;
  /** Channels that the rotary embedding rotates; fewer than `headDim` where it is partial. */
  readonly rotaryDim: number;
}

/**
 * Names that the shared nodes define and the layers read. `bias` (B,1,group*S,T+S) masks what lies
 * past a row's length among its past tokens, and is causal among the new ones. Layers with a window
 * have a bias of their own, `bias.W`.
 */
const PREFIX = 'epd.';
const shared = (name: string): string => `${PREFIX}${name}`;

/**
 * A finite number, because a row may be masked entirely before its first token: 0 * -inf is NaN.
 */
const CLOSED = { [ELEMENT.float]: -1e9, [ELEMENT.float16]: -3e4 } as Readonly<
  Record<number, number>
>;

export function sharedTensors(shape: AttentionShape): Tensor[] {
  const { heads, kvHeads, headDim, dataType } = shape;
  const group = heads / kvHeads;
  const ints = (name: string, ...values: number[]): Tensor =>
    int64Tensor(shared(name), values, [values.length]);
  return [
    ints('axis1', 1),
    ints('axes12', 1, 2),
    int64Tensor(shared('first'), [0], []),
    int64Tensor(shared('step'), [1], []),
    ints('at1', 1),
    ints('at2', 2),
    floatScalar(shared('open'), 0, dataType),
    floatScalar(shared('closed'), CLOSED[dataType] ?? -1e9, dataType),
    ints('tile', group, 1),
    ints('tile3', 1, group, 1),
    ints('axes01', 0, 1),
    ints('group', group),
    ints('ones', 1, 1),
    ints('split_q', 0, 0, kvHeads, group, headDim),
    ints('split_kv', 0, 0, kvHeads, headDim),
    ints('rows', 0, kvHeads, -1, headDim),
    ints('ungroup', 0, kvHeads, group, -1, headDim),
    ints('flat', 0, 0, -1),
    ints('packed', heads * headDim, kvHeads * headDim, kvHeads * headDim),
  ];
}

/** Lengths and masks, once per run. Reads `past_lengths` (B) and `inputs_embeds` (B,S,D). */
export function sharedNodes(pastKey: string, windows: readonly number[]): Node[] {
  const s = shared;
  return [
    node('Shape', [pastKey], [s('T.shape')]),
    node('Gather', [s('T.shape'), s('at2')], [s('T')], { axis: 0 }),
    node('Squeeze', [s('T')], [s('T.scalar')]),
    node('Range', [s('first'), s('T.scalar'), s('step')], [s('past_index')]),
    node('Unsqueeze', ['past_lengths', s('axis1')], [s('lengths')]),
    node('Less', [s('past_index'), s('lengths')], [s('past_valid')]),
    node('Where', [s('past_valid'), s('open'), s('closed')], [s('past_bias.2d')]),
    node('Unsqueeze', [s('past_bias.2d'), s('axes12')], [s('past_bias')]),
    node('Shape', ['inputs_embeds'], [s('S.shape')]),
    node('Gather', [s('S.shape'), s('at1')], [s('S')], { axis: 0 }),
    node('Squeeze', [s('S')], [s('S.scalar')]),
    node('Range', [s('first'), s('S.scalar'), s('step')], [s('new_index')]),
    node('Unsqueeze', [s('new_index'), s('axis1')], [s('query_index')]),
    node('LessOrEqual', [s('new_index'), s('query_index')], [s('causal')]),
    node('Where', [s('causal'), s('open'), s('closed')], [s('causal_bias')]),
    node('Tile', [s('causal_bias'), s('tile')], [s('new_bias')]),
    node('Concat', [s('T'), s('S')], [s('T_and_S')], { axis: 0 }),
    node('Mul', [s('S'), s('group')], [s('rows_per_head')]),
    node('Shape', ['past_lengths'], [s('B')]),
    node('Concat', [s('ones'), s('rows_per_head'), s('at1')], [s('per_row')], { axis: 0 }),
    node('Expand', [s('past_bias'), s('per_row')], [s('past_bias.rows')]),
    node('Concat', [s('B'), s('ones'), s('at1')], [s('per_sequence')], { axis: 0 }),
    ...joinedBias('new_bias', 'past_bias.rows', 'bias'),
    ...windows.flatMap(windowNodes),
  ];
}

/** Past (B,1,group*S,T) and new (group*S,S) side by side. */
function joinedBias(ofNew: string, ofPast: string, joined: string): Node[] {
  const s = shared;
  return [
    node('Unsqueeze', [s(ofNew), s('axes01')], [s(`${ofNew}.4d`)]),
    node('Expand', [s(`${ofNew}.4d`), s('per_sequence')], [s(`${ofNew}.rows`)]),
    node('Concat', [s(ofPast), s(`${ofNew}.rows`)], [s(joined)], { axis: -1 }),
  ];
}

/**
 * A token attends to `window` tokens before it, and to itself. Positions are those in the sequence,
 * which for past tokens is their index.
 */
function windowNodes(window: number): Node[] {
  const s = shared;
  const w = (name: string): string => shared(`${name}.${window}`);
  return [
    node('Sub', [s('query_index'), w('window')], [w('first_new')]),
    node('GreaterOrEqual', [s('new_index'), w('first_new')], [w('near')]),
    node('And', [s('causal'), w('near')], [w('near_causal')]),
    node('Where', [w('near_causal'), s('open'), s('closed')], [w('near_bias')]),
    node('Tile', [w('near_bias'), s('tile')], [w('new_bias')]),
    node('Unsqueeze', [s('lengths'), s('axis1')], [w('lengths.3d')]),
    node('Add', [w('lengths.3d'), w('first_new')], [w('first_past')]),
    node('GreaterOrEqual', [s('past_index'), w('first_past')], [w('past_near')]),
    node('Unsqueeze', [s('past_valid'), s('axis1')], [w('past_valid.3d')]),
    node('And', [w('past_near'), w('past_valid.3d')], [w('past_open')]),
    node('Where', [w('past_open'), s('open'), s('closed')], [w('past_bias.3d')]),
    node('Tile', [w('past_bias.3d'), s('tile3')], [w('past_bias.rows')]),
    node('Unsqueeze', [w('past_bias.rows'), s('axis1')], [w('past_bias')]),
    ...joinedBias(`new_bias.${window}`, `past_bias.${window}`, `bias.${window}`),
  ];
}

export const windowTensor = (window: number): Tensor =>
  int64Tensor(shared(`window.${window}`), [window], [1]);

/** The source of a layer's cache and the target of its new slices. */
export interface LayerNames {
  readonly layer: number;
  readonly pastKey: string;
  readonly pastValue: string;
  readonly newKey: string;
  readonly newValue: string;
  /** Number of earlier tokens that a token attends to; null: all. */
  readonly window: number | null;
}

/** The nodes and constants that replace one `GroupQueryAttention` node. */
export function twoPartAttention(
  of: Node,
  shape: AttentionShape,
  names: LayerNames,
): { nodes: Node[]; tensors: Tensor[] } {
  const n = (name: string): string => shared(`${names.layer}.${name}`);
  const scale = floatAttribute(of, 'scale', 0) || shape.headDim ** -0.5;
  const projections = projected(of, n);
  const rotary = rotated(of, shape, projections, n);
  const turned = { ...rotary, v: projections.v };
  const nodes = [
    ...projections.nodes,
    ...rotary.nodes,
    ...divided(turned, names, n),
    ...scored(shape.dataType, scale, names, n),
    ...attended(of, names, n),
  ];
  const isHalf = shape.dataType !== ELEMENT.float;
  return { nodes, tensors: isHalf ? [floatScalar(n('scale'), scale, shape.dataType)] : [] };
}

type Namer = (name: string) => string;

/** Query, key and value as three tensors (B,S,heads*dim), split if the export packs them. */
function projected(of: Node, n: Namer): { q: string; k: string; v: string; nodes: Node[] } {
  const [query = '', key = '', value = ''] = of.input ?? [];
  if (key !== '') return { q: query, k: key, v: value, nodes: [] };
  const parts = { q: n('q.packed'), k: n('k.packed'), v: n('v.packed') };
  const split = node('Split', [query, shared('packed')], [parts.q, parts.k, parts.v], { axis: -1 });
  return { ...parts, nodes: [split] };
}

function rotated(
  of: Node,
  shape: AttentionShape,
  parts: { q: string; k: string },
  n: Namer,
): { q: string; k: string; nodes: Node[] } {
  if (intAttribute(of, 'do_rotary', 0) === 0) return { q: parts.q, k: parts.k, nodes: [] };
  const [cos = '', sin = ''] = (of.input ?? []).slice(7, 9);
  const attributes = {
    interleaved: intAttribute(of, 'rotary_interleaved', 0),
    ...(shape.rotaryDim < shape.headDim ? { rotary_embedding_dim: shape.rotaryDim } : {}),
  };
  const turn = (x: string, out: string, heads: number): Node =>
    node(
      'RotaryEmbedding',
      [x, 'position_ids', cos, sin],
      [out],
      { ...attributes, num_heads: heads },
      MICROSOFT,
    );
  const nodes = [
    turn(parts.q, n('q.rotary'), shape.heads),
    turn(parts.k, n('k.rotary'), shape.kvHeads),
  ];
  return { q: n('q.rotary'), k: n('k.rotary'), nodes };
}

/** By heads: queries (B,KV,group*S,H) with those that share keys together, new keys and values (B,KV,S,H). */
function divided(
  { q, k, v }: { readonly q: string; readonly k: string; readonly v: string },
  names: LayerNames,
  n: Namer,
): Node[] {
  const s = shared;
  return [
    node('Reshape', [q, s('split_q')], [n('q.5d')]),
    node('Transpose', [n('q.5d')], [n('q.grouped')], { perm: [0, 2, 3, 1, 4] }),
    node('Reshape', [n('q.grouped'), s('rows')], [n('q')]),
    node('Reshape', [k, s('split_kv')], [n('k.4d')]),
    node('Transpose', [n('k.4d')], [names.newKey], { perm: [0, 2, 1, 3] }),
    node('Reshape', [v, s('split_kv')], [n('v.4d')]),
    node('Transpose', [n('v.4d')], [names.newValue], { perm: [0, 2, 1, 3] }),
  ];
}

/** Scaled products of queries with past and with new keys. */
function scored(type: number, scale: number, names: LayerNames, n: Namer): Node[] {
  const keys = { past: names.pastKey, new: names.newKey };
  if (type === ELEMENT.float) {
    const attributes = { transB: 1, alpha: { float: scale } };
    return Object.entries(keys).map(([part, key]) =>
      node('FusedMatMul', [n('q'), key], [n(`${part}.scores`)], attributes, MICROSOFT),
    );
  }
  // The fused product knows no half precision; queries are scaled first, for products could overflow.
  const products = Object.entries(keys).flatMap(([part, key]) => [
    node('Transpose', [key], [n(`${part}.kT`)], { perm: [0, 1, 3, 2] }),
    node('MatMul', [n('q.scaled'), n(`${part}.kT`)], [n(`${part}.scores`)]),
  ]);
  return [node('Mul', [n('q'), n('scale')], [n('q.scaled')]), ...products];
}

/** softmax([q·K_past | q·k_new]) applied to [V_past | v_new] without joining the caches. */
function attended(of: Node, names: LayerNames, n: Namer): Node[] {
  const s = shared;
  const output = of.output?.[0];
  if (!output) throw new NotRewritableError('GroupQueryAttention without an output');
  const bias = s(names.window === null ? 'bias' : `bias.${names.window}`);
  return [
    node('Concat', [n('past.scores'), n('new.scores')], [n('scores.open')], { axis: -1 }),
    node('Add', [n('scores.open'), bias], [n('scores')]),
    node('Softmax', [n('scores')], [n('weights')], { axis: -1 }),
    node('Split', [n('weights'), s('T_and_S')], [n('past.weights'), n('new.weights')], {
      axis: -1,
    }),
    node('MatMul', [n('past.weights'), names.pastValue], [n('past.out')]),
    node('MatMul', [n('new.weights'), names.newValue], [n('new.out')]),
    node('Add', [n('past.out'), n('new.out')], [n('out')]),
    node('Reshape', [n('out'), s('ungroup')], [n('out.5d')]),
    node('Transpose', [n('out.5d')], [n('out.rows')], { perm: [0, 3, 1, 2, 4] }),
    node('Reshape', [n('out.rows'), s('flat')], [output]),
  ];
}
