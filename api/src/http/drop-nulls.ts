import type { FastifyRequest } from 'fastify';

/** Members of a body that hold a conversation, where clients write `null` at any depth. */
const CONVERSATIONS: ReadonlySet<string> = new Set(['messages', 'input']);

/** Deeper than any message goes; what nests further is refused by its schema. */
const MAX_DEPTH = 16;

/**
 * Clients send `null` for what is left out: a parameter at its default, a message's `name`, a picture's
 * `detail`. Inside other parameters, a JSON schema say, `null` has a meaning of its own and stays.
 */
export async function dropNulls(request: FastifyRequest): Promise<void> {
  request.body = withoutNulls(request.body);
}

export function withoutNulls(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const members = Object.entries(body).filter(([, value]) => value !== null);
  return Object.fromEntries(
    members.map(([name, value]) => [
      name,
      CONVERSATIONS.has(name) ? withoutInnerNulls(value, MAX_DEPTH) : value,
    ]),
  );
}

/** Elements of a list keep their places: a `null` among them is a mistake, and is said to be one. */
function withoutInnerNulls(value: unknown, depth: number): unknown {
  if (depth === 0) return value;
  if (Array.isArray(value)) return value.map((element) => withoutInnerNulls(element, depth - 1));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([name, inner]) => [name, withoutInnerNulls(inner, depth - 1)]),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
