import { Tensor, type InferenceSession } from 'onnxruntime-node';
import type { Part } from './vision-session.ts';

type Metadata = InferenceSession['inputMetadata'][number];

/**
 * What the graph's inputs are given, by what they say of themselves: a grid is named so, a mask is
 * boolean or named so, and floats are pixels. All parts are of one shape.
 */
export function visionFeeds(
  { inputMetadata }: Pick<InferenceSession, 'inputMetadata'>,
  parts: readonly Part[],
): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const input of inputMetadata) {
    if (input.isTensor) feeds[input.name] = feedOf(input, parts);
  }
  return feeds;
}

function feedOf(input: Metadata & { isTensor: true }, parts: readonly Part[]): Tensor {
  const { name, type, shape } = input;
  if (name.endsWith('grid_thw')) return gridTensor(parts);
  if (type === 'bool') return maskTensor(parts, shape.length);
  if (type === 'float32' || type === 'float16') return pixelTensor(parts, type, shape.length);
  throw new Error(
    `The vision encoder has an input ${name} of ${type}, which no supported family provides`,
  );
}

/**
 * In shapes such as [images, tiles, 3, side, side] an image holds several tiles: here, one each.
 */
function dimsOf(parts: readonly Part[], own: readonly number[], rank: number): number[] {
  const between = Array.from({ length: Math.max(0, rank - own.length - 1) }, () => 1);
  return [parts.length, ...between, ...own];
}

function pixelTensor(parts: readonly Part[], type: string, rank: number): Tensor {
  const [first] = parts as readonly [Part];
  const pixels = new Float32Array(parts.length * first.pixels.length);
  for (const [index, part] of parts.entries()) pixels.set(part.pixels, index * part.pixels.length);
  // Patches of a grid are separate rows, without padding.
  const dims = first.grid === null ? dimsOf(parts, first.dims, rank) : first.dims;
  if (type !== 'float16') return new Tensor('float32', pixels, dims);
  // The declarations know only the older form, 16-bit integers; the runtime takes both.
  const halves = new Uint16Array(Float16Array.from(pixels).buffer);
  return new Tensor('float16', halves, dims);
}

/** Every pixel counts: parts are never padded. */
function maskTensor(parts: readonly Part[], rank: number): Tensor {
  const [first] = parts as readonly [Part];
  const dims = dimsOf(parts, first.dims.slice(1), rank);
  const mask = new Uint8Array(dims.reduce((product, size) => product * size, 1));
  return new Tensor('bool', mask.fill(1), dims);
}

function gridTensor(parts: readonly Part[]): Tensor {
  const grids = parts.flatMap(({ grid }) => grid ?? []);
  return new Tensor('int64', BigInt64Array.from(grids, BigInt), [parts.length, 3]);
}
