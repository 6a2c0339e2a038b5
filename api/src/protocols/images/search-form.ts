import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../http/errors.ts';
import { readMultipart } from '../../http/read-multipart.ts';

/** Fields of the form that are no text: their JSON is what the body would have. */
const JSON_FIELDS = new Set(['limit', 'min_score', 'filter']);

/** A picture that comes as a form, as the JSON body that asks the same. */
export async function searchForm(request: FastifyRequest, maxBytes: number): Promise<object> {
  const { bytes, fields } = await readMultipart(request, 'image', maxBytes);
  const named = [...fields].map(([name, text]) => [name, valueOf(name, text)] as const);
  request.memory.take(Math.ceil(bytes.length / 3) * 4);
  const image = `data:application/octet-stream;base64,${bytes.toString('base64')}`;
  return { ...Object.fromEntries(named), image };
}

function valueOf(name: string, text: string): unknown {
  if (!JSON_FIELDS.has(name)) return text;
  try {
    return JSON.parse(text);
  } catch {
    const message = `${name}: expected JSON, got ${JSON.stringify(text.slice(0, 80))}`;
    throw new ApiError('invalid_value', message, { param: name });
  }
}
