import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ApiKeyRecord } from '../auth/api-keys.ts';
import { ApiError } from '../errors.ts';
import { ERROR_RESPONSES } from '../schemas/errors.ts';
import type { Services } from '../services.ts';
import { TENANT_ID } from '../tenant.ts';
import { seconds } from '../views/job-view.ts';

const TenantId = Type.String({ pattern: TENANT_ID.source });
const Limit = Type.Optional(Type.Integer({ minimum: 0, description: '0: none.' }));

const KeyView = Type.Object({
  id: Type.String(),
  object: Type.Literal('api_key'),
  tenant: Type.String(),
  name: Type.String(),
  created_at: Type.Integer(),
});

const Settings = Type.Object(
  {
    requests_per_minute: Limit,
    tokens_per_minute: Limit,
    waiting_cost: Limit,
    share_embeddings: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false, title: 'TenantSettings' },
);

const about = (summary: string) => ({ tags: ['Admin'], summary });

/** Keys and tenants, for the operator. */
export const adminRoutes =
  ({ keys, tenants }: Pick<Services, 'keys' | 'tenants'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const admin = { config: { access: 'admin' } } as const;

    app.post(
      '/v1/admin/keys',
      {
        ...admin,
        schema: {
          ...about('Make an API key'),
          description: 'The key is in this answer and nowhere else: only its digest is stored.',
          body: Type.Object({
            tenant: TenantId,
            name: Type.Optional(Type.String({ maxLength: 100 })),
          }),
          response: {
            201: Type.Object({ ...KeyView.properties, key: Type.String() }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async ({ body }, reply) => {
        const { key, record } = await keys.create(body.tenant, body.name ?? '');
        return reply.code(201).send({ ...keyView(record), key });
      },
    );
    app.get(
      '/v1/admin/keys',
      {
        ...admin,
        schema: {
          ...about('List the API keys'),
          response: {
            200: Type.Object({ object: Type.Literal('list'), data: Type.Array(KeyView) }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async () => ({ object: 'list' as const, data: (await keys.list()).map(keyView) }),
    );
    app.delete('/v1/admin/keys/:id', {
      ...admin,
      schema: {
        ...about('Revoke an API key'),
        params: Type.Object({ id: Type.String() }),
        response: {
          200: Type.Object({
            id: Type.String(),
            object: Type.Literal('api_key'),
            deleted: Type.Literal(true),
          }),
          ...ERROR_RESPONSES,
        },
      },
      handler: async ({ params: { id } }) => {
        if (await keys.revoke(id)) return { id, object: 'api_key', deleted: true } as const;
        throw new ApiError('key_not_found', `No API key ${JSON.stringify(id)}`);
      },
    });
    app.put(
      '/v1/admin/tenants/:id',
      {
        ...admin,
        schema: {
          ...about('Set what a tenant may'),
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
        await tenants.set(params.id, {
          ...(body.requests_per_minute === undefined
            ? {}
            : { requestsPerMinute: body.requests_per_minute }),
          ...(body.tokens_per_minute === undefined
            ? {}
            : { tokensPerMinute: body.tokens_per_minute }),
          ...(body.waiting_cost === undefined ? {} : { waitingCost: body.waiting_cost }),
          ...(body.share_embeddings === undefined
            ? {}
            : { shareEmbeddings: body.share_embeddings }),
        });
        return { id: params.id, ...body };
      },
    );
  };

const keyView = ({ id, tenant, name, createdAtMs }: ApiKeyRecord) => ({
  id,
  object: 'api_key' as const,
  tenant,
  name,
  created_at: seconds(createdAtMs),
});
