import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import multipart from '@fastify/multipart';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import type { Services } from '../../core/services.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { toIndexExample, toIndexFilter } from './examples.ts';
import { contextOf } from './query-context.ts';
import { DEFAULT_LIMIT, HitsView, SearchBody } from './schema.ts';
import { searchForm } from './search-form.ts';
import { hitsView } from './view.ts';

type Needs = Pick<Services, 'images' | 'vectors' | 'models' | 'limiter'>;

/** Pictures by a picture. */
export const imageSearchRoutes =
  (services: Needs, maxImageBytes: number): FastifyPluginAsyncTypebox =>
  async (app) => {
    await app.register(multipart, {
      limits: { fileSize: maxImageBytes, files: 1, fields: 4, fieldSize: 65_536, parts: 8 },
    });
    const { images, vectors } = services;
    app.post('/v1/images/search', {
      onRequest: limitRequests(services.limiter),
      preValidation: [
        async (request) => {
          if (request.isMultipart()) request.body = await searchForm(request, maxImageBytes);
        },
        dropNulls,
      ],
      schema: {
        tags: ['Images'],
        summary: 'Find images like one',
        description:
          'By a picture (`image`), a stored image (`image_id`) or a vector. `score` is the cosine ' +
          'similarity; an image does not find itself. What is only searched with is not kept in the index. ' +
          'As a form, the picture is the file `image`; `limit`, `min_score` and `filter` are JSON.',
        consumes: ['application/json', 'multipart/form-data'],
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
  };
