/**
 * Values as levels from 0 to 15 around 8 and the scale that makes values of them again. The value farthest from
 * zero is met: it gets level 0.
 */
export function fourBits(values: Float32Array): { scale: number; levels: Uint8Array } {
  const farthest = values.reduce(
    (most, value) => (Math.abs(value) > Math.abs(most) ? value : most),
    0,
  );
  const scale = farthest / -8;
  if (scale === 0) return { scale, levels: new Uint8Array(values.length).fill(8) };
  const levels = Uint8Array.from(values, (value) => Math.min(15, Math.trunc(value / scale + 8.5)));
  return { scale, levels };
}
