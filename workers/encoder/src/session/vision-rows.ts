import type { Tensor } from 'onnxruntime-node';

/** The output that holds an image's rows, in exports that have several. */
const FEATURES = 'image_features';

/**
 * The rows of a run as 32-bit floats, [rows, width]. Throws when they are not as many as expected, or
 * not finite.
 */
export function visionRows(
  outputs: Readonly<Record<string, Tensor>>,
  names: readonly string[],
  expected: { readonly rows: number; readonly width: number },
): Float32Array {
  const output = outputs[names.includes(FEATURES) ? FEATURES : (names[0] ?? '')];
  if (!output) throw new Error('The vision encoder gave nothing');
  const { rows, width } = expected;
  const values = Float32Array.from(output.data as Float32Array | Float16Array);
  if (values.length !== rows * width || output.dims.at(-1) !== width) {
    const found = `[${output.dims.join(', ')}]`;
    throw new Error(`The vision encoder gave ${found}, not ${rows} rows of ${width}`);
  }
  if (!values.every(Number.isFinite)) {
    throw new Error('The vision encoder gave values that are not finite');
  }
  return values;
}
