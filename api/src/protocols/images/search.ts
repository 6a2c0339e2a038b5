import type { Example as IndexExample } from '@epd/image-index';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { VectorContext } from '../../core/images/image-vectors.ts';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import type { Services } from '../../core/services.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';
import { goneSignal } from '../../http/gone-signal.ts';
import { toIndexExample, toIndexFilter } from './examples.ts';
import { HitsView, RecommendBody, SearchBody, type Example } from './schema.ts';
import { hitsView } from './view.ts';

const DEFAULT_LIMIT = 10;

type Needs = Pick<Services, 'images' | 'vectors' | 'models' | 'limiter'>;

/** Pictures by pictures. */
export const imageSearchRoutes =
  (services: Needs): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { images, vectors } = services;
    const onRequest = limitRequests(services.limiter);
    const preValidation = dropNulls;
    app.post('/v1/images/search', {
      onRequest,
      preValidation,
      schema: {
        tags: ['Images'],
        summary: 'Find images like one',
        description:
          'By a picture (`image`), a stored image (`image_id`) or a vector. `score` is the cosine ' +
          'similarity; an image does not find itself. What is only searched with is not kept in the index.',
        body: SearchBody,
        response: { 200: HitsView, ...ERROR_RESPONSES },
      },
      handler: async (request, reply) => {
        images.assertOn();
        const {
          model,
          limit = DEFAULT_LIMIT,
          min_score: minScore,
          filter,
          ...example
        } = request.body;
        const context = await contextOf(services, model, request, reply);
        const { hits } = await images.query({
          op: 'search',
          tenant: request.tenant.id,
          fingerprint: context.card.fingerprint,
          example: await toIndexExample(example, '', vectors, context),
          limit,
          filter: toIndexFilter(filter),
          ...(minScore === undefined ? {} : { minScore }),
        });
        return hitsView(hits);
      },
    });
    app.post('/v1/images/recommend', {
      onRequest,
      preValidation,
      schema: {
        tags: ['Images'],
        summary: 'Find images like some and unlike others',
        description:
          '`average_vector`: near twice the mean of the positive examples less the mean of the negative ' +
          'ones. `best_score`: each image by its nearest example, positive or negative; its score is that ' +
          'similarity, negated for a negative one.',
        body: RecommendBody,
        response: { 200: HitsView, ...ERROR_RESPONSES },
      },
      handler: async (request, reply) => {
        images.assertOn();
        const { body, tenant } = request;
        const { positive = [], negative = [], strategy = 'average_vector' } = body;
        checkExamples(positive.length, negative.length, strategy);
        const context = await contextOf(services, body.model, request, reply);
        const examples = (all: readonly (Example | string)[], name: string) =>
          inTurn(all, (each, i) => toIndexExample(each, `${name}[${i}]`, vectors, context));
        const { hits } = await images.query({
          op: 'recommend',
          tenant: tenant.id,
          fingerprint: context.card.fingerprint,
          positive: await examples(positive, 'positive'),
          negative: await examples(negative, 'negative'),
          strategy,
          limit: body.limit ?? DEFAULT_LIMIT,
          filter: toIndexFilter(body.filter),
          ...(body.min_score === undefined ? {} : { minScore: body.min_score }),
        });
        return hitsView(hits);
      },
    });
  };

async function contextOf(
  { models }: Needs,
  model: string | undefined,
  { tenant, memory }: FastifyRequest,
  reply: FastifyReply,
): Promise<VectorContext> {
  return { card: await models.resolve(model), tenant, memory, signal: goneSignal(reply) };
}

/** One picture after the other: a request is to hold no more than one encode of the fleet. */
async function inTurn(
  examples: readonly (Example | string)[],
  resolve: (example: Example | string, index: number) => Promise<IndexExample>,
): Promise<IndexExample[]> {
  const resolved: IndexExample[] = [];
  for (const [index, example] of examples.entries()) resolved.push(await resolve(example, index));
  return resolved;
}

function checkExamples(positive: number, negative: number, strategy: string): void {
  if (positive > 0 || (negative > 0 && strategy === 'best_score')) return;
  throw new ApiError(
    'invalid_value',
    'positive: expected at least one example; negative ones alone are enough for best_score only',
    { param: 'positive' },
  );
}
