import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import type { TenantSettings } from '../../core/auth/tenants.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { TENANT_ID } from '../../core/auth/tenant.ts';

const TenantId = Type.String({ pattern: TENANT_ID.source });
const Limit = Type.Optional(Type.Integer({ minimum: 0, description: '0: none.' }));

const Settings = Type.Object(
  {
    requests_per_minute: Limit,
    tokens_per_minute: Limit,
    waiting_cost: Limit,
    share_embeddings: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, title: 'TenantSettings' },
);

/** What tenants may, for the operator. */
export const adminTenantRoutes =
  ({ tenants }: Pick<Services, 'tenants'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.put(
      '/v1/admin/tenants/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['Admin'],
          summary: 'Set what a tenant may',
          description: 'Replaces its settings; a limit that is left out is as configured for all.',
          params: Type.Object({ id: TenantId }),
          body: Settings,
          response: {
            200: Type.Object({ id: Type.String(), ...Settings.properties }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async ({ params, body }) => {
        await tenants.set(params.id, settingsOf(body));
        return { id: params.id, ...body };
      },
    );
  };

const settingsOf = (body: Static<typeof Settings>): TenantSettings => ({
  ...(body.requests_per_minute === undefined
    ? {}
    : { requestsPerMinute: body.requests_per_minute }),
  ...(body.tokens_per_minute === undefined ? {} : { tokensPerMinute: body.tokens_per_minute }),
  ...(body.waiting_cost === undefined ? {} : { waitingCost: body.waiting_cost }),
  ...(body.share_embeddings === undefined ? {} : { shareEmbeddings: body.share_embeddings }),
});
