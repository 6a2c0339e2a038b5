import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../http/errors.ts';
import type { FilePurpose } from '../../core/files/file-records.ts';
import { fileQuota } from '../../core/files/file-quota.ts';
import type { NewFile } from '../../core/files/files.ts';
import { readMultipart } from '../../http/read-multipart.ts';
import { cleanName, MAX_EXPIRY_S, MIN_EXPIRY_S, UPLOAD_PURPOSES } from './rules.ts';

/** A multipart upload as a file. Throws `invalid_value` naming the part that is wrong or missing. */
export async function readUpload(request: FastifyRequest, maxBytes: number): Promise<NewFile> {
  const { filename, bytes, fields } = await readMultipart(request, 'file', maxBytes);
  return {
    tenant: request.tenant.id,
    filename: cleanName(filename),
    purpose: purposeOf(fields.get('purpose')),
    bytes,
    quota: fileQuota(request.tenant),
    expiresAfterS: expiryOf(fields.get('expires_after[seconds]')),
  };
}

function purposeOf(purpose: string | undefined): FilePurpose {
  const found = UPLOAD_PURPOSES.find((known) => known === purpose);
  if (found !== undefined) return found;
  throw invalid(
    'purpose',
    `expected one of ${JSON.stringify(UPLOAD_PURPOSES)}, got ${JSON.stringify(purpose ?? null)}`,
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
