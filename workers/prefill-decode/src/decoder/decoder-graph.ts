import type { InferenceSession } from 'onnxruntime-node';
import type { FloatArray, FloatType } from './float-array.ts';
import type { AttentionState, KVShape } from './kv-shape.ts';

/**
 * How a decoder treats the KV cache, as its interface shows.
 * - `two_part`: reads the past and returns only new slices (the output of the rewriting pass).
 * - `concatenating`: returns past and new joined; takes `position_ids`.
 * - `grouped`: `GroupQueryAttention` as exported; returns the past with the new tokens inserted.
 */
export type GraphKind = 'two_part' | 'concatenating' | 'grouped';

export interface DecoderFacts {
  readonly kind: GraphKind;
  readonly kv: KVShape;
  readonly hiddenSize: number;
  readonly embedsType: FloatType;
  /** Axes of a token's position; 0: the graph counts positions itself. */
  readonly positionAxes: 0 | 1 | 3;
  /**
   * Inputs for the deepstack features that an image adds to the hidden states after each of the
   * first layers.
   */
  readonly deepstack: DeepstackInputs | null;
  /** Other known inputs of the graph: `num_logits_to_keep`, `use_cache_branch`. */
  readonly options: readonly string[];
}

interface DeepstackInputs {
  /** One input for all levels, or one for each. */
  readonly names: readonly string[];
  readonly levels: number;
  readonly type: FloatType;
}

/** One run of the decoder over adjacent slots. A row with count 0 only fills a gap. */
export interface ForwardRun {
  readonly firstSlot: number;
  readonly rows: number;
  /** New tokens of the widest row. */
  readonly width: number;
  /** [rows, width, hiddenSize]; a row's tokens are left-aligned. */
  readonly embeds: FloatArray;
  /** [levels, rows, width, hiddenSize], where the graph takes it. */
  readonly deepstack: FloatArray | null;
  /** Each row's positions, [axes, count]; null: its tokens count from `past`. */
  readonly positions: readonly (Int32Array | null)[];
  /** Tokens that each row has in its slot. */
  readonly past: Int32Array;
  /** New tokens of each row, at most `width`. */
  readonly count: Int32Array;
  /** The logits of how many of a row's last tokens are wanted. */
  readonly logits: Int32Array;
}

/** Row and token of each logit that the run wants, row after row. */
export function logitPositions({ count, logits }: ForwardRun): [row: number, token: number][] {
  return Array.from(logits).flatMap((wanted, row) =>
    Array.from({ length: wanted }, (_, index): [number, number] => [
      row,
      (count[row] ?? 0) - wanted + index,
    ]),
  );
}

/**
 * Derives the facts from a session's inputs and outputs. `groupsQueries`: the graph has
 * `GroupQueryAttention` nodes, which the interface does not always show. Throws when the graph is
 * no known decoder.
 */
export function decoderFacts(session: InferenceSession, groupsQueries: boolean): DecoderFacts {
  const embeds = tensorInput(session, 'inputs_embeds');
  return {
    kind: graphKind(session, groupsQueries),
    kv: layerStates(session),
    hiddenSize: sizeOf(embeds, 2),
    embedsType: floatType(embeds),
    positionAxes: positionAxes(session),
    deepstack: deepstackInputs(session),
    options: OPTIONS.filter((name) => session.inputNames.includes(name)),
  };
}

const OPTIONS = ['num_logits_to_keep', 'use_cache_branch'];

function positionAxes(session: InferenceSession): 0 | 1 | 3 {
  if (!session.inputNames.includes('position_ids')) return 0;
  return tensorInput(session, 'position_ids').shape.length === 3 ? 3 : 1;
}

/** `[levels, B, S, H]` in one input, or `[B, S, H]` in several. */
function deepstackInputs(session: InferenceSession): DeepstackInputs | null {
  const names = session.inputNames.filter((name) => name.includes('deepstack'));
  const [first] = names;
  if (first === undefined) return null;
  const input = tensorInput(session, first);
  const levels = input.shape.length === 4 ? sizeOf(input, 0) : names.length;
  return { names, levels, type: floatType(input) };
}

function layerStates(session: InferenceSession): AttentionState[] {
  const layers = session.inputNames.filter((name) => /^past_key_values\.\d+\.key$/.test(name));
  if (layers.length === 0) throw new TypeError('The decoder has no input past_key_values.0.key');
  return layers.map((_, layer) => {
    const past = tensorInput(session, `past_key_values.${layer}.key`);
    const [kvHeads, headDim] = [sizeOf(past, 1), sizeOf(past, 3)];
    return { kind: 'full', kvHeads, headDim, type: floatType(past) };
  });
}

function graphKind(session: InferenceSession, groupsQueries: boolean): GraphKind {
  if (session.inputNames.includes('past_lengths')) return 'two_part';
  return groupsQueries ? 'grouped' : 'concatenating';
}

type TensorMetadata = Extract<InferenceSession['inputMetadata'][number], { isTensor: true }>;

function tensorInput(session: InferenceSession, name: string): TensorMetadata {
  const found = session.inputMetadata.find((input) => input.name === name);
  if (!found?.isTensor) throw new TypeError(`The decoder has no input ${name}`);
  return found;
}

function sizeOf(input: TensorMetadata, axis: number): number {
  const size = input.shape[axis];
  if (typeof size !== 'number')
    throw new TypeError(`Axis ${axis} of ${input.name} has no fixed size`);
  return size;
}

function floatType(input: TensorMetadata): FloatType {
  if (input.type === 'float32' || input.type === 'float16') return input.type;
  throw new TypeError(`${input.name} is ${input.type}, expected float32 or float16`);
}
