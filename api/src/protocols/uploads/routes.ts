import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { FileView, fileView } from '../files/schema.ts';
import type { Services } from '../../core/services.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';

/** Pictures sent straight to S3. */
export const uploadRoutes =
  ({ uploads, limiter }: Pick<Services, 'uploads' | 'limiter'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/v1/uploads',
      {
        onRequest: limitRequests(limiter),
        schema: {
          tags: ['Files'],
          summary: 'Open an upload by URL',
          description:
            'PUT exactly `bytes` bytes to `url`, then complete the upload: it becomes a file to refer to.',
          body: Type.Object({
            filename: Type.String({ minLength: 1, maxLength: 255 }),
            bytes: Type.Integer({ minimum: 1 }),
          }),
          response: {
            200: Type.Object({
              id: Type.String(),
              object: Type.Literal('upload'),
              method: Type.Literal('PUT'),
              url: Type.String(),
              expires_at: Type.Integer(),
            }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async ({ body, tenant }) => {
        const { id, url, expiresAtMs } = await uploads.open(tenant, body);
        return {
          id,
          object: 'upload' as const,
          method: 'PUT' as const,
          url,
          expires_at: unixSeconds(expiresAtMs),
        };
      },
    );
    app.post('/v1/uploads/:id/complete', {
      schema: {
        tags: ['Files'],
        summary: 'Complete an upload',
        description:
          'May be sent again when no answer came, or 503: it is the same file. A picture that is refused ends the upload.',
        params: Type.Object({ id: Type.String({ pattern: '^upload-[0-9a-f]{32}$' }) }),
        response: { 200: FileView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) => fileView(await uploads.complete(tenant, params.id)),
    });
  };
