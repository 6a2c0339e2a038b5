import type { Readable } from 'node:stream';

import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { FileView, fileView } from './schema.ts';
import type { Services } from '../../core/services.ts';
import { attachment } from './attachment.ts';

const FileParams = Type.Object({ id: Type.String({ maxLength: 100 }) });

/** Looking at a file, reading and deleting it. */
export const fileControlRoutes =
  ({ files }: Pick<Services, 'files'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get('/v1/files/:id', {
      schema: {
        tags: ['Files'],
        summary: 'One file',
        params: FileParams,
        response: { 200: FileView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) => fileView(await files.get(tenant.id, params.id)),
    });
    app.get(
      '/v1/files/:id/content',
      {
        schema: {
          tags: ['Files'],
          summary: "A file's bytes",
          params: FileParams,
          produces: ['application/octet-stream'],
          response: {
            200: Type.Unsafe<Readable>(Type.String({ format: 'binary' })),
            ...ERROR_RESPONSES,
          },
        },
      },
      async ({ params, tenant }, reply) => {
        const file = await files.get(tenant.id, params.id);
        const bytes = await files.stream(file);
        // Never as what it claims to be: a browser must not run what somebody uploaded.
        return reply
          .type('application/octet-stream')
          .header('content-disposition', attachment(file.filename))
          .header('x-content-type-options', 'nosniff')
          .header('content-length', file.bytes)
          .send(bytes);
      },
    );
    app.delete('/v1/files/:id', {
      schema: {
        tags: ['Files'],
        summary: 'Delete a file',
        params: FileParams,
        response: {
          200: Type.Object({
            id: Type.String(),
            object: Type.Literal('file'),
            deleted: Type.Literal(true),
          }),
          ...ERROR_RESPONSES,
        },
      },
      handler: async ({ params, tenant }) => {
        const file = await files.get(tenant.id, params.id);
        await files.remove(file);
        return { id: file.id, object: 'file', deleted: true } as const;
      },
    });
  };
