import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ApiError } from '../../http/errors.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';

/** The caller's signing secret. */
export const webhookRoutes =
  ({ webhookSecrets }: Pick<Services, 'webhookSecrets'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/webhooks/secret',
      {
        schema: {
          tags: ['Jobs'],
          summary: 'The secret that your webhooks are signed with',
          description: 'Messages follow Standard Webhooks; give this to its library to check them.',
          response: {
            200: Type.Object({ object: Type.Literal('webhook_secret'), secret: Type.String() }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async ({ tenant }) => {
        if (webhookSecrets === null)
          throw new ApiError('webhook_not_allowed', 'No signing secret is configured');
        return { object: 'webhook_secret' as const, secret: webhookSecrets.secretOf(tenant.id) };
      },
    );
  };
