import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import type { Services } from '../../core/services.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { readMultipart } from '../../http/read-multipart.ts';
import { cleanName } from '../files/rules.ts';
import {
  CompletionBody,
  completedView,
  PartForm,
  PartView,
  partView,
  UploadBody,
  UploadView,
  uploadView,
} from './schema.ts';

/** OpenAI's largest part. */
const MAX_PART_BYTES = 64 * 1024 * 1024;

const UploadParams = Type.Object({ id: Type.String({ pattern: '^upload-[0-9a-f]{32}$' }) });

/** OpenAI's uploads: files in parts, and, beyond that, straight to S3. */
export const uploadRoutes =
  (
    { uploads, limiter }: Pick<Services, 'uploads' | 'limiter'>,
    maxFileBytes: number,
  ): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/v1/uploads',
      {
        onRequest: limitRequests(limiter),
        schema: {
          tags: ['Files'],
          summary: 'Open an upload',
          description:
            'Send the bytes as parts, or PUT all of them to `url` where there is one; then complete the upload: it ' +
            'becomes a file. It expires an hour after it was opened.',
          body: UploadBody,
          response: { 200: UploadView, ...ERROR_RESPONSES },
        },
      },
      async ({ body, tenant }) => {
        const { filename, bytes, purpose = 'vision', expires_after: expiry } = body;
        const facts = { bytes, purpose, fileLivesS: expiry?.seconds ?? null };
        const opened = await uploads.open(tenant, { ...facts, filename: cleanName(filename) });
        return uploadView(opened.id, 'pending', opened);
      },
    );
    await app.register(partRoutes(uploads, Math.min(MAX_PART_BYTES, maxFileBytes)));
    app.post('/v1/uploads/:id/complete', {
      // Whoever has put the bytes to `url` has nothing more to say.
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        tags: ['Files'],
        summary: 'Complete an upload',
        description:
          'May be sent again when no answer came, or 503: it is the same file. A picture that is refused ends the upload.',
        params: UploadParams,
        body: CompletionBody,
        response: { 200: UploadView, ...ERROR_RESPONSES },
      },
      handler: async ({ params: { id }, body, tenant }) => {
        const completion = { partIds: body.part_ids, md5: body.md5 };
        return completedView(id, await uploads.complete(tenant, id, completion));
      },
    });
    app.post('/v1/uploads/:id/cancel', {
      schema: {
        tags: ['Files'],
        summary: 'Cancel an upload',
        description:
          'Drops what has come of it. One that was completed is a file, to be deleted as such.',
        params: UploadParams,
        response: { 200: UploadView, ...ERROR_RESPONSES },
      },
      handler: async ({ params: { id }, tenant }) =>
        uploadView(id, 'cancelled', await uploads.cancel(tenant, id)),
    });
  };

/** In a context of their own: the other routes take JSON only. */
const partRoutes =
  (uploads: Services['uploads'], maxBytes: number): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(multipart, {
      limits: { fileSize: maxBytes, files: 1, fields: 4, fieldSize: 1_024, parts: 5 },
    });
    app.post('/v1/uploads/:id/parts', {
      bodyLimit: maxBytes + 65_536,
      schema: {
        tags: ['Files'],
        summary: 'Add a part to an upload',
        description: 'Multipart: `data`, of 64 MiB at most. Parts may be sent at the same time.',
        consumes: ['multipart/form-data'],
        describes: { form: PartForm },
        params: UploadParams,
        response: { 200: PartView, ...ERROR_RESPONSES },
      },
      handler: async (request) => {
        const { id } = request.params;
        const { bytes } = await readMultipart(request, 'data', maxBytes);
        const part = await uploads.addPart(request.tenant, id, bytes);
        return partView(id, part, Date.now());
      },
    });
  };
