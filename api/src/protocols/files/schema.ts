import { Type } from 'typebox';
import type { FileRecord } from '../../core/files/file-records.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';
import { MAX_EXPIRY_S, MIN_EXPIRY_S, UPLOAD_PURPOSES } from './rules.ts';

export const FileForm = Type.Object(
  {
    file: Type.String({ format: 'binary' }),
    purpose: Type.Enum([...UPLOAD_PURPOSES]),
    'expires_after[seconds]': Type.Optional(
      Type.Integer({ minimum: MIN_EXPIRY_S, maximum: MAX_EXPIRY_S }),
    ),
  },
  { title: 'FileForm' },
);

export const FileView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('file'),
    bytes: Type.Integer(),
    created_at: Type.Integer(),
    expires_at: Type.Union([Type.Integer(), Type.Null()]),
    filename: Type.String(),
    purpose: Type.String(),
    status: Type.Literal('processed'),
  },
  { title: 'File' },
);

export const fileView = (file: FileRecord) => ({
  id: file.id,
  object: 'file' as const,
  bytes: file.bytes,
  created_at: unixSeconds(file.createdAtMs),
  expires_at: file.expiresAtMs === null ? null : unixSeconds(file.expiresAtMs),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed' as const,
});
