import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ApiKeyRecord } from '../../core/auth/api-keys.ts';
import { ApiError } from '../../http/errors.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { LEAST_URGENT, MOST_URGENT, TENANT_ID } from '../../core/auth/tenant.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';

const TenantId = Type.String({ pattern: TENANT_ID.source });

const KeyView = Type.Object({
  id: Type.String(),
  object: Type.Literal('api_key'),
  tenant: Type.String(),
  name: Type.String(),
  created_at: Type.Integer(),
  min_priority: Type.Optional(Type.Integer()),
});

const admin = { config: { access: 'admin' } } as const;
const about = (summary: string) => ({ tags: ['Admin'], summary });

/** API keys, for the operator. */
export const adminKeyRoutes =
  ({ keys }: Pick<Services, 'keys'>): FastifyPluginAsyncTypebox =>
  async (app) => {
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
            min_priority: Type.Optional(
              Type.Integer({
                minimum: MOST_URGENT,
                maximum: LEAST_URGENT,
                description:
                  "The most urgent priority of requests with this key, in place of its tenant's; lower runs first.",
              }),
            ),
          }),
          response: {
            201: Type.Object({ ...KeyView.properties, key: Type.String() }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async ({ body }, reply) => {
        const { tenant, name = '', min_priority: minPriority } = body;
        const grant = { tenant, ...(minPriority === undefined ? {} : { minPriority }) };
        const { key, record } = await keys.create(grant, name);
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
  };

const keyView = ({ id, tenant, name, createdAtMs, minPriority }: ApiKeyRecord) => ({
  id,
  object: 'api_key' as const,
  tenant,
  name,
  created_at: unixSeconds(createdAtMs),
  ...(minPriority === undefined ? {} : { min_priority: minPriority }),
});
