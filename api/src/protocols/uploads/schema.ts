import { Type } from 'typebox';
import type { FileRecord } from '../../core/files/file-records.ts';
import type { UploadPart, UploadRecord } from '../../core/files/upload-records.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';
import { MAX_EXPIRY_S, MIN_EXPIRY_S, UPLOAD_PURPOSES } from '../files/rules.ts';
import { FileView, fileView } from '../files/schema.ts';

export const UploadBody = Type.Object(
  {
    filename: Type.String({ minLength: 1, maxLength: 255 }),
    bytes: Type.Integer({ minimum: 1, description: 'Exactly so many will come.' }),
    purpose: Type.Optional(Type.Enum([...UPLOAD_PURPOSES], { description: 'Default `vision`.' })),
    mime_type: Type.Optional(
      Type.String({
        maxLength: 255,
        description: 'As OpenAI asks for it. Not kept: what a picture is, its bytes say.',
      }),
    ),
    expires_after: Type.Optional(
      Type.Object({
        anchor: Type.Literal('created_at'),
        seconds: Type.Integer({ minimum: MIN_EXPIRY_S, maximum: MAX_EXPIRY_S }),
      }),
    ),
  },
  { title: 'NewUpload' },
);

/** As many as an upload can have parts. */
const MAX_PART_IDS = 1_000;

export const CompletionBody = Type.Object(
  {
    part_ids: Type.Optional(
      Type.Array(Type.String({ maxLength: 100 }), {
        maxItems: MAX_PART_IDS,
        description:
          'In the order of the file. Without it the bytes are those that were put to `url`.',
      }),
    ),
    md5: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{32}$' })),
  },
  { title: 'UploadCompletion' },
);

export const UploadView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('upload'),
    bytes: Type.Integer(),
    created_at: Type.Integer(),
    expires_at: Type.Integer(),
    filename: Type.String(),
    purpose: Type.String(),
    status: Type.Union([
      Type.Literal('pending'),
      Type.Literal('completed'),
      Type.Literal('cancelled'),
    ]),
    file: Type.Union([FileView, Type.Null()]),
    method: Type.Optional(Type.Literal('PUT')),
    url: Type.Optional(
      Type.String({ description: 'Where the store is S3: takes all bytes in one request.' }),
    ),
  },
  { title: 'Upload' },
);

export const PartForm = Type.Object(
  { data: Type.String({ format: 'binary' }) },
  { title: 'UploadPartForm' },
);

export const PartView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('upload.part'),
    created_at: Type.Integer(),
    upload_id: Type.String(),
  },
  { title: 'UploadPart' },
);

type UploadFacts = Pick<
  UploadRecord,
  'bytes' | 'createdAtMs' | 'expiresAtMs' | 'filename' | 'purpose'
>;

export const uploadView = (
  id: string,
  status: 'pending' | 'cancelled',
  upload: UploadFacts & { readonly url?: string | null },
) => ({
  ...headOf(id, upload),
  status,
  file: null,
  ...(typeof upload.url === 'string' ? { method: 'PUT' as const, url: upload.url } : {}),
});

/** Once completed all that is left is the file: the upload was over when the file came to be. */
export const completedView = (id: string, file: FileRecord) => ({
  ...headOf(id, { ...file, expiresAtMs: file.createdAtMs }),
  status: 'completed' as const,
  file: fileView(file),
});

export const partView = (uploadId: string, { id }: UploadPart, nowMs: number) => ({
  id,
  object: 'upload.part' as const,
  created_at: unixSeconds(nowMs),
  upload_id: uploadId,
});

const headOf = (id: string, upload: UploadFacts) => ({
  id,
  object: 'upload' as const,
  bytes: upload.bytes,
  created_at: unixSeconds(upload.createdAtMs),
  expires_at: unixSeconds(upload.expiresAtMs),
  filename: upload.filename,
  purpose: upload.purpose,
});
