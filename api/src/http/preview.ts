const MAX_CHARACTERS = 80;

/**
 * The beginning of a value as JSON, for messages. Looks at no more of it than is shown: what callers send is as large
 * as they like, and an error must not cost what the request did not.
 */
export function preview(value: unknown): string {
  const text = beginning(value, MAX_CHARACTERS);
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

/** At least the first `most` characters of the JSON, or all of it. */
function beginning(value: unknown, most: number): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, most + 1));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isArray = Array.isArray(value);
  let text = isArray ? '[' : '{';
  for (const key in value) {
    if (!Object.hasOwn(value, key)) continue;
    if (text.length > 1) text += ',';
    if (!isArray) text += `${JSON.stringify(key.slice(0, most + 1))}:`;
    text += beginning((value as Record<string, unknown>)[key], most - text.length);
    if (text.length > most) return text;
  }
  return text + (isArray ? ']' : '}');
}
