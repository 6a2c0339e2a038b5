import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import type { TenantSettings } from '../../core/auth/tenants.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { LEAST_URGENT, MOST_URGENT, TENANT_ID } from '../../core/auth/tenant.ts';

const TenantId = Type.String({ pattern: TENANT_ID.source });
const Limit = Type.Optional(Type.Integer({ minimum: 0, description: '0: none.' }));

const Settings = Type.Object(
  {
    requests_per_minute: Limit,
    tokens_per_minute: Limit,
    waiting_cost: Limit,
    files: Limit,
    file_bytes: Limit,
    open_uploads: Limit,
    active_batches: Limit,
    min_priority: Type.Optional(
      Type.Integer({
        minimum: MOST_URGENT,
        maximum: LEAST_URGENT,
        description: 'The most urgent priority that its jobs may ask for; lower runs first.',
      }),
    ),
    webhook_hosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        maxItems: 100,
        description: 'Hosts that its webhooks may be sent to; names, or `*.` and a domain.',
      }),
    ),
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

const settingsOf = (body: Static<typeof Settings>): TenantSettings => {
  const named = Object.entries({
    requestsPerMinute: body.requests_per_minute,
    tokensPerMinute: body.tokens_per_minute,
    waitingCost: body.waiting_cost,
    files: body.files,
    fileBytes: body.file_bytes,
    openUploads: body.open_uploads,
    activeBatches: body.active_batches,
    minPriority: body.min_priority,
    webhookHosts: body.webhook_hosts,
    shareEmbeddings: body.share_embeddings,
  } satisfies Record<keyof TenantSettings, unknown>);
  return Object.fromEntries(named.filter(([, value]) => value !== undefined));
};
