import type { ModelCard } from '@epd/fleet';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { unknownModel, type ModelDirectory } from '../../core/models/model-directory.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { unixSeconds } from '../../http/unix-seconds.ts';

const ModelView = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal('model'),
    created: Type.Integer(),
    owned_by: Type.String(),
    context_length: Type.Integer(),
    max_model_len: Type.Integer({ description: '`context_length`, by vLLM’s name.' }),
    fingerprint: Type.String(),
    revision: Type.Union([Type.String(), Type.Null()]),
    workers: Type.Object({ encoder: Type.Integer(), prefill_decode: Type.Integer() }),
  },
  { title: 'Model' },
);

/** The models that workers have registered, and how many work for each now. */
export const modelRoutes =
  ({ models }: Pick<Services, 'models'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/models',
      {
        schema: {
          tags: ['Models'],
          summary: 'List the models',
          response: {
            200: Type.Object({ object: Type.Literal('list'), data: Type.Array(ModelView) }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async () => ({
        object: 'list' as const,
        data: await Promise.all((await models.models()).map((card) => view(card, models))),
      }),
    );
    // A name of the Hub holds a slash, which clients send as it is or encoded.
    app.get(
      '/v1/models/*',
      {
        schema: {
          tags: ['Models'],
          summary: 'One model',
          params: Type.Object({ '*': Type.String({ description: 'The model’s id' }) }),
          response: { 200: ModelView, ...ERROR_RESPONSES },
        },
      },
      async ({ params }) => {
        const id = params['*'];
        const card = await models.find(id);
        if (card !== null) return view(card, models);
        throw unknownModel(id, await models.models());
      },
    );
  };

async function view(card: ModelCard, models: ModelDirectory) {
  const { encoder, prefillDecode } = await models.workers(card.id);
  return {
    id: card.id,
    object: 'model' as const,
    created: unixSeconds(card.createdAtMs),
    owned_by: 'epd-fleet',
    context_length: card.contextLength,
    max_model_len: card.contextLength,
    fingerprint: card.fingerprint,
    revision: card.revision ?? null,
    workers: { encoder, prefill_decode: prefillDecode },
  };
}
