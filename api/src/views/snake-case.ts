/** `queueMs` to `queue_ms`. */
const snakeName = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * A copy of plain data with every property's name in snake case; undefined ones are left out, and
 * milliseconds are given to the hundredth.
 */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(
    entries.map(([name, inner]) => [
      snakeName(name),
      name.endsWith('Ms') && typeof inner === 'number' ? round(inner) : snakeCase(inner),
    ]),
  );
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
