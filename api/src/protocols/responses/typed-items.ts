/** A response's body whose items all have their `type`: clients leave it out of messages and references. */
export function withTypedItems(body: unknown): unknown {
  if (!isRecord(body) || !Array.isArray(body['input'])) return body;
  return { ...body, input: body['input'].map(typed) };
}

function typed(item: unknown): unknown {
  if (!isRecord(item) || item['type'] !== undefined) return item;
  if ('role' in item) return { ...item, type: 'message' };
  return 'id' in item ? { ...item, type: 'item_reference' } : item;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
