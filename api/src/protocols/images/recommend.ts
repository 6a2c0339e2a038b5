import type { Example as IndexExample } from '@epd/image-index';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import type { Services } from '../../core/services.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';
import { toIndexExample, toIndexFilter } from './examples.ts';
import { contextOf } from './query-context.ts';
import { DEFAULT_LIMIT, HitsView, RecommendBody, type Example } from './schema.ts';
import { hitsView } from './view.ts';

type Needs = Pick<Services, 'images' | 'vectors' | 'models' | 'limiter'>;

/** Pictures by pictures that are liked, and pictures that are not. */
export const imageRecommendRoutes =
  (services: Needs): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { images, vectors } = services;
    app.post('/v1/images/recommend', {
      onRequest: limitRequests(services.limiter),
      preValidation: dropNulls,
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
