import { Tensor } from 'onnxruntime-node';
import type { DecoderFacts, ForwardRun } from './decoder-graph.ts';
import type { FloatArray, FloatType } from './float-array.ts';
import type { KVSlots } from './kv-slots.ts';

export type Feeds = Record<string, Tensor>;

/**
 * The runtime's binding reads half-precision elements only as their bits, but its Tensor exposes
 * them as a Float16Array. So the tensor is made to expose the bits, which share the elements'
 * memory.
 */
function floatTensor(type: FloatType, data: FloatArray, dims: readonly number[]): Tensor {
  if (data instanceof Float32Array) return new Tensor(type, data, dims);
  const bits = new Uint16Array(data.buffer, data.byteOffset, data.length);
  return Object.defineProperty(new Tensor(type, bits, dims), 'data', { value: bits });
}

export function int64Tensor(values: BigInt64Array, dims: readonly number[]): Tensor {
  return new Tensor('int64', values, dims);
}

/**
 * The inputs of every kind of decoder: embeddings, positions if the graph takes them, and the past,
 * in place.
 */
export function commonFeeds(facts: DecoderFacts, slots: KVSlots, run: ForwardRun): Feeds {
  const { rows, width } = run;
  const feeds: Feeds = {
    inputs_embeds: floatTensor(facts.embedsType, run.embeds, [rows, width, facts.hiddenSize]),
  };
  const { positionAxes: axes } = facts;
  if (axes > 0) {
    const dims = axes === 1 ? [rows, width] : [axes, rows, width];
    feeds['position_ids'] = int64Tensor(positions(run, axes), dims);
  }
  Object.assign(feeds, deepstackFeeds(facts, run));
  for (let side = 0; side < slots.sides; side++) {
    const { kvHeads, headDim, type } = slots.state(side);
    const view = slots.view(side, run.firstSlot, rows);
    const dims = [rows, kvHeads, slots.length, headDim];
    feeds[`past_key_values.${sideName(side)}`] = floatTensor(type, view, dims);
  }
  return feeds;
}

/** `0.key`, `0.value`, `1.key`, … */
export function sideName(side: number): string {
  return `${side >> 1}.${side % 2 === 0 ? 'key' : 'value'}`;
}

/** [axes, rows, width]. */
function positions(run: ForwardRun, axes: number): BigInt64Array {
  const { rows, width } = run;
  const values = new BigInt64Array(axes * rows * width);
  for (let axis = 0; axis < axes; axis++) {
    for (let row = 0; row < rows; row++) {
      const count = run.count[row] ?? 0;
      const own = run.positions[row];
      const past = run.past[row] ?? 0;
      const start = (axis * rows + row) * width;
      for (let i = 0; i < width; i++) {
        // A padding token's position counts from 0 too: the model has no rotation past its last
        // position.
        const at = i < count ? (own?.[axis * count + i] ?? past + i) : i;
        values[start + i] = BigInt(at);
      }
    }
  }
  return values;
}

function deepstackFeeds({ deepstack, hiddenSize }: DecoderFacts, run: ForwardRun): Feeds {
  if (deepstack === null || run.deepstack === null) return {};
  const dims = [run.rows, run.width, hiddenSize];
  const { names, levels, type } = deepstack;
  const values = run.deepstack;
  const [only] = names;
  if (only !== undefined && names.length === 1)
    return { [only]: floatTensor(type, values, [levels, ...dims]) };
  const size = values.length / levels;
  const level = (index: number): FloatArray => values.subarray(index * size, (index + 1) * size);
  return Object.fromEntries(
    names.map((name, index) => [name, floatTensor(type, level(index), dims)]),
  );
}

export function dataOf(outputs: Readonly<Record<string, Tensor>>, name: string): FloatArray {
  const tensor = outputs[name];
  if (!tensor) throw new TypeError(`The decoder returned no ${name}`);
  return tensor.data as FloatArray;
}

export function toFloat32(data: FloatArray): Float32Array {
  return data instanceof Float32Array ? data : Float32Array.from(data);
}
