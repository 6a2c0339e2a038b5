import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { collectBytes } from '../../http/collect-bytes.ts';
import { ApiError } from '../../http/errors.ts';
import type { FilePurpose } from '../../core/files/file-records.ts';
import { fileQuota } from '../../core/files/file-quota.ts';
import type { NewFile } from '../../core/files/files.ts';

const PURPOSES: readonly string[] = ['vision', 'user_data', 'batch'];
const MAX_NAME_CHARACTERS = 255;
/** OpenAI's bounds for `expires_after`. */
const MIN_EXPIRY_S = 3_600;
const MAX_EXPIRY_S = 2_592_000;

interface Upload {
  file: { filename: string; bytes: Buffer } | null;
  readonly fields: Map<string, string>;
}

/** A multipart upload as a file. Throws `invalid_value` naming the part that is wrong or missing. */
export async function readUpload(request: FastifyRequest, maxBytes: number): Promise<NewFile> {
  if (!request.isMultipart()) {
    throw new ApiError('unsupported_media_type', 'Expected a body of type multipart/form-data');
  }
  const { file, fields } = await readParts(request, maxBytes);
  if (file === null) throw invalid('file', 'expected a file, got nothing');
  return {
    tenant: request.tenant.id,
    filename: cleanName(file.filename),
    purpose: purposeOf(fields.get('purpose')),
    bytes: file.bytes,
    quota: fileQuota(request.tenant),
    expiresAfterS: expiryOf(fields.get('expires_after[seconds]')),
  };
}

async function readParts(request: FastifyRequest, maxBytes: number): Promise<Upload> {
  const upload: Upload = { file: null, fields: new Map() };
  for await (const part of request.parts()) {
    if (part.type === 'field') upload.fields.set(part.fieldname, String(part.value));
    else if (part.fieldname !== 'file' || upload.file !== null) part.file.resume();
    else
      upload.file = {
        filename: part.filename,
        bytes: await readFile(request, part.file, maxBytes),
      };
  }
  return upload;
}

async function readFile(
  request: FastifyRequest,
  stream: Readable,
  maxBytes: number,
): Promise<Buffer> {
  try {
    return await collectBytes(stream, {
      hold: request.memory,
      expectedBytes: Number(request.headers['content-length'] ?? 0),
      maxBytes,
      tooLarge: () => new ApiError('body_too_large', `file: expected at most ${maxBytes} bytes`),
    });
  } catch (error) {
    stream.resume(); // the answer comes after the rest of the body
    throw error;
  }
}

/** It is shown, never used as a path. */
const cleanName = (name: string): string =>
  name.replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, MAX_NAME_CHARACTERS) || 'file';

function purposeOf(purpose: string | undefined): FilePurpose {
  if (purpose !== undefined && PURPOSES.includes(purpose)) return purpose as FilePurpose;
  throw invalid(
    'purpose',
    `expected one of ${JSON.stringify(PURPOSES)}, got ${JSON.stringify(purpose ?? null)}`,
  );
}

function expiryOf(seconds: string | undefined): number | null {
  if (seconds === undefined) return null;
  const value = Number(seconds);
  if (Number.isInteger(value) && value >= MIN_EXPIRY_S && value <= MAX_EXPIRY_S) return value;
  throw invalid(
    'expires_after',
    `expected ${MIN_EXPIRY_S} to ${MAX_EXPIRY_S} seconds, got ${seconds}`,
  );
}

const invalid = (param: string, why: string): ApiError =>
  new ApiError('invalid_value', `${param}: ${why}`, { param });
