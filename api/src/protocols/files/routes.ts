import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { PURPOSES } from '../../core/files/file-records.ts';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { FileForm, FileView, fileView } from './schema.ts';
import { PageQuery, pageOf, pageSchema, unknownPlace } from '../../http/pagination.ts';
import type { Services } from '../../core/services.ts';
import { readUpload } from './read-upload.ts';

/** Files: pictures that messages refer to, and the inputs and outputs of batches. */
export const fileRoutes =
  (
    { files, limiter }: Pick<Services, 'files' | 'limiter'>,
    maxFileBytes: number,
  ): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(multipart, {
      limits: { fileSize: maxFileBytes, files: 1, fields: 8, fieldSize: 4_096, parts: 12 },
    });
    app.post('/v1/files', {
      bodyLimit: maxFileBytes + 65_536,
      onRequest: limitRequests(limiter),
      schema: {
        tags: ['Files'],
        summary: 'Upload a file',
        description:
          'Multipart: `file`, and `purpose`: `vision` for a picture that messages refer to by `file_id`, ' +
          '`batch` for the input of a batch. The same picture twice is stored once.',
        consumes: ['multipart/form-data'],
        describes: { form: FileForm },
        response: { 200: FileView, ...ERROR_RESPONSES },
      },
      handler: async (request) =>
        fileView(await files.add(await readUpload(request, maxFileBytes))),
    });
    app.get(
      '/v1/files',
      {
        schema: {
          tags: ['Files'],
          summary: 'List files',
          querystring: Type.Object({
            ...PageQuery.properties,
            purpose: Type.Optional(Type.Union(PURPOSES.map((purpose) => Type.Literal(purpose)))),
          }),
          response: { 200: pageSchema(FileView), ...ERROR_RESPONSES },
        },
      },
      async ({ query, tenant }) => {
        const { limit = 20, order = 'desc', after, purpose } = query;
        const page = await files.records.list(tenant.id, { limit, order, after, purpose });
        if (page === null) throw unknownPlace('a file');
        return pageOf(page.files.map(fileView), page.hasMore);
      },
    );
  };
