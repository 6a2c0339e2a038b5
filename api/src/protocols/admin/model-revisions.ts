import type { ModelRevision } from '@epd/fleet';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { ModelDirectory } from '../../core/models/model-directory.ts';
import type { Services } from '../../core/services.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';

const Id = Type.Object({ id: Type.String() });

const Revision = Type.Object({
  revision: Type.String({ description: 'Digest of all that shapes answers.' }),
  fingerprint: Type.String({ description: 'Digest of all that shapes embeddings.' }),
  prefill_decode: Type.Integer({ description: 'Live prefill/decode workers.' }),
  serving: Type.Boolean({ description: "The model's name points to it." }),
  pinned: Type.Boolean({ description: 'It was put here: it serves whoever is alive.' }),
});
const Revisions = Type.Object(
  { object: Type.Literal('list'), data: Type.Array(Revision) },
  { title: 'ModelRevisions' },
);

/** Which revision a model's name points to: rollout and rollback, for the operator. */
export const modelRevisionRoutes =
  ({ models }: Pick<Services, 'models'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/admin/models/:id/revisions',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['Admin'],
          summary: 'List the revisions of a model',
          params: Id,
          response: { 200: Revisions, ...ERROR_RESPONSES },
        },
      },
      ({ params }) => list(models, params.id),
    );
    app.put(
      '/v1/admin/models/:id/revision',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['Admin'],
          summary: "Point a model's name to a revision",
          description:
            'Workers of that revision take jobs from now on, all others finish what they hold. Null leaves the choice to the fleet again: a revision serves while workers of it live.',
          params: Id,
          body: Type.Object({ revision: Type.Union([Type.String({ minLength: 1 }), Type.Null()]) }),
          response: { 200: Revisions, ...ERROR_RESPONSES },
        },
      },
      async ({ params: { id }, body: { revision } }) => {
        if (await models.serve(id, revision)) return list(models, id);
        const known = (await models.revisions(id)).map((one) => one.revision);
        throw new ApiError(
          'invalid_value',
          `revision: expected one of ${JSON.stringify(known)}, which workers of ${id} have registered, got ${JSON.stringify(revision)}`,
          { param: 'revision' },
        );
      },
    );
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
