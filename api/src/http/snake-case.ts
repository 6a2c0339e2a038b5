const names = new Map<string, string>();

/** `queueMs` to `queue_ms`. Names are those of our own types: few, and seen again and again. */
function snakeName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (names.size < MAX_NAMES) names.set(name, snake);
  return snake;
}

/** Far more than there are; a bound should anybody's own names ever come through here. */
const MAX_NAMES = 1_000;

/**
 * A copy of plain data with every property's name in snake case; undefined ones are left out, and
 * milliseconds are given to the hundredth.
 */
export function snakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCase);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const isTime = name.endsWith('Ms') && typeof inner === 'number';
    copy[snakeName(name)] = isTime ? round(inner) : snakeCase(inner);
  }
  return copy;
}

const round = (ms: number): number => Math.round(ms * 100) / 100;
