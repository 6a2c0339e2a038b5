/**
 * One text per value: properties sorted, `undefined` ones omitted, no white space. Throws
 * `TypeError` for what JSON would change silently (NaN, functions, a bare `undefined`).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) return canonicalObject(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new TypeError(`${value} cannot be part of a key`);
  }
  const text: unknown = JSON.stringify(value);
  if (typeof text !== 'string') throw new TypeError(`A ${typeof value} cannot be part of a key`);
  return text;
}

function canonicalObject(value: object): string {
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(',')}}`;
}
