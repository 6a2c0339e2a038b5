import type { ModelRevision } from '@epd/fleet';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import type { ModelDirectory } from '../../core/models/model-directory.ts';
import type { Services } from '../../core/services.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';

/** A name of the Hub holds a slash, which callers send as it is or encoded. */
const NAMES = {
  '/v1/admin/models/:id': Type.Object({ id: Type.String() }),
  '/v1/admin/models/:owner/:name': Type.Object({ owner: Type.String(), name: Type.String() }),
} as const;
type Name = Static<(typeof NAMES)[keyof typeof NAMES]>;

const idOf = (name: Name): string => ('id' in name ? name.id : `${name.owner}/${name.name}`);

const Revision = Type.Object({
  revision: Type.String({ description: 'Digest of all that shapes answers.' }),
  fingerprint: Type.String({ description: 'Digest of all that shapes embeddings.' }),
  prefill_decode: Type.Integer({ description: 'Live prefill/decode workers.' }),
  serving: Type.Boolean({ description: "The model's name points to it." }),
  pinned: Type.Boolean({
    description: 'Pinned by an operator: it serves regardless of live workers.',
  }),
});
const Revisions = Type.Object(
  { object: Type.Literal('list'), data: Type.Array(Revision) },
  { title: 'ModelRevisions' },
);

/** Which revision a model's name points to: rollout and rollback, for the operator. */
export const modelRevisionRoutes =
  ({ models }: Pick<Services, 'models'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    for (const [path, Name] of Object.entries(NAMES)) {
      // Two paths of one operation: each needs an id of its own.
      const model = path.endsWith(':id') ? 'AdminModel' : 'AdminOwnedModel';
      app.get(
        `${path}/revisions`,
        {
          config: { access: 'admin' },
          schema: {
            tags: ['Admin'],
            operationId: `get${model}Revisions`,
            summary: 'List the revisions of a model',
            params: Name,
            response: { 200: Revisions, ...ERROR_RESPONSES },
          },
        },
        ({ params }) => list(models, idOf(params)),
      );
      app.put(
        `${path}/revision`,
        {
          config: { access: 'admin' },
          schema: {
            tags: ['Admin'],
            operationId: `set${model}Revision`,
            summary: "Point a model's name to a revision",
            description:
              'Workers of that revision take jobs from now on, all others finish what they hold. Null leaves the choice to the fleet again: a revision serves while workers of it live.',
            params: Name,
            body: Type.Object({
              revision: Type.Union([Type.String({ minLength: 1 }), Type.Null()]),
            }),
            response: { 200: Revisions, ...ERROR_RESPONSES },
          },
        },
        async ({ params, body: { revision } }) => {
          const id = idOf(params);
          if (await models.serve(id, revision)) return list(models, id);
          const known = (await models.revisions(id)).map((one) => one.revision);
          throw new ApiError(
            'invalid_value',
            `revision: expected one of ${JSON.stringify(known)}, which workers of ${id} have registered, got ${JSON.stringify(revision)}`,
            { param: 'revision' },
          );
        },
      );
    }
  };

const list = async (models: ModelDirectory, id: string) => ({
  object: 'list' as const,
  data: (await models.revisions(id)).map(view),
});

const view = ({ revision, card, workers, serving, pinned }: ModelRevision) => ({
  revision,
  fingerprint: card.fingerprint,
  prefill_decode: workers,
  serving,
  pinned,
});
