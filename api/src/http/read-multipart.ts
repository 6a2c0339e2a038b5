import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { collectBytes } from './collect-bytes.ts';
import { refuseEncoded } from './content-encoding.ts';
import { ApiError } from './errors.ts';

export interface Multipart {
  readonly filename: string;
  readonly bytes: Buffer;
  readonly fields: ReadonlyMap<string, string>;
}

/** The file in the part of this name, and the fields beside it. Throws `invalid_value` when there is none. */
export async function readMultipart(
  request: FastifyRequest,
  name: string,
  maxBytes: number,
): Promise<Multipart> {
  if (!request.isMultipart()) {
    throw new ApiError('unsupported_media_type', 'Expected a body of type multipart/form-data');
  }
  refuseEncoded(request);
  const fields = new Map<string, string>();
  let file: Omit<Multipart, 'fields'> | null = null;
  for await (const part of request.parts()) {
    if (part.type === 'field') fields.set(part.fieldname, String(part.value));
    else if (part.fieldname !== name || file !== null) part.file.resume();
    else {
      const bytes = await readFile(request, part.file, { name, maxBytes });
      file = { filename: part.filename, bytes };
    }
  }
  if (file !== null) return { ...file, fields };
  throw new ApiError('invalid_value', `${name}: expected a file, got nothing`, { param: name });
}

async function readFile(
  request: FastifyRequest,
  stream: Readable,
  { name, maxBytes }: { readonly name: string; readonly maxBytes: number },
): Promise<Buffer> {
  try {
    return await collectBytes(stream, {
      hold: request.memory,
      expectedBytes: Number(request.headers['content-length'] ?? 0),
      maxBytes,
      tooLarge: () => new ApiError('body_too_large', `${name}: expected at most ${maxBytes} bytes`),
    });
  } catch (error) {
    stream.resume(); // the answer comes after the rest of the body
    throw error;
  }
}
