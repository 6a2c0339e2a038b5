import type { Tensor } from 'onnxruntime-node';

/** The output that holds an image's rows, in exports that have several. */
const FEATURES = 'image_features';

/**
 * The rows of a run as 32-bit floats, [rows, width]: a row's features, then its deepstack features
 * for the first layers of the decoder, level by level, if the graph outputs them. Throws when their
 * number is unexpected, or a value is not finite.
 */
export function visionRows(
  outputs: Readonly<Record<string, Tensor>>,
  names: readonly string[],
  expected: { readonly rows: number; readonly width: number },
): Float32Array {
  const { rows, width } = expected;
  const features = outputs[names.includes(FEATURES) ? FEATURES : (names[0] ?? '')];
  if (!features) throw new Error('The vision encoder returned no output');
  const levels = names.filter((name) => name.includes('deepstack'));
  const tensors = [features, ...levels.flatMap((name) => outputs[name] ?? [])];
  const own = features.dims.at(-1) ?? 0;
  const values = joined(
    tensors.flatMap((tensor) => floatsByLevel(tensor, rows * own)),
    own,
  );
  if (values.length !== rows * width || features.size !== rows * own) {
    const found = tensors.map(({ dims }) => `[${dims.join(', ')}]`).join(' and ');
    throw new Error(`The vision encoder returned ${found}, expected ${rows} rows of ${width}`);
  }
  if (!values.every(Number.isFinite)) {
    throw new Error('The vision encoder returned values that are not finite');
  }
  return values;
}

/** A tensor may hold several levels, one after the other. */
function floatsByLevel(tensor: Tensor, size: number): Float32Array[] {
  const values = Float32Array.from(tensor.data as Float32Array | Float16Array);
  if (size === 0 || values.length % size !== 0) return [values];
  const level = (index: number): Float32Array => values.subarray(index * size, (index + 1) * size);
  return Array.from({ length: values.length / size }, (_, index) => level(index));
}

/** Row r of the result is row r of each part, of `own` values, side by side. */
function joined(parts: readonly Float32Array[], own: number): Float32Array {
  const [first] = parts;
  if (first === undefined || parts.length === 1) return first ?? new Float32Array();
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  const width = own * parts.length;
  for (const [index, part] of parts.entries()) {
    for (let row = 0; row < part.length / own; row++)
      out.set(part.subarray(row * own, (row + 1) * own), row * width + index * own);
  }
  return out;
}
