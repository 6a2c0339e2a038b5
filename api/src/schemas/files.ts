import { Type } from 'typebox';
import type { FileRecord } from '../files/file-records.ts';
import { seconds } from '../views/job-view.ts';

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
  created_at: seconds(file.createdAtMs),
  expires_at: file.expiresAtMs === null ? null : seconds(file.expiresAtMs),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed' as const,
});
