import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import type { Services } from '../../core/services.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { PageQuery, pageOf, pageSchema } from '../../http/pagination.ts';
import { toIndexFilter } from './examples.ts';
import { HitsView, ImageId, ImageParams, ImageView, PatchBody } from './schema.ts';
import { hitsView, imageView } from './view.ts';

/** Above it two pictures are taken for the same one, changed: docs/image-search.md says how that was found. */
const DUPLICATE_SCORE = 0.97;
const MAX_DUPLICATES = 100;

const ListQuery = Type.Object({
  ...PageQuery.properties,
  model: Type.Optional(Type.String()),
  created_after: Type.Optional(Type.Number({ description: 'Seconds since the epoch.' })),
  created_before: Type.Optional(Type.Number({ description: 'Seconds since the epoch.' })),
});

/** What the fleet has seen of a tenant's images. */
export const imageRoutes =
  ({ images, models }: Pick<Services, 'images' | 'models'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get('/v1/images', {
      schema: {
        tags: ['Images'],
        summary: 'List images',
        querystring: ListQuery,
        response: { 200: pageSchema(ImageView), ...ERROR_RESPONSES },
      },
      handler: async ({ query, tenant }) => {
        images.assertOn();
        const { model, limit = 20, order = 'desc', after, ...filter } = query;
        const { fingerprint } = await models.resolve(model);
        const page = await images.query({
          op: 'list',
          tenant: tenant.id,
          fingerprint,
          limit,
          order,
          filter: toIndexFilter(filter),
          ...(after === undefined ? {} : { after }),
        });
        return pageOf(page.images.map(imageView), page.hasMore);
      },
    });
    app.get('/v1/images/:id', {
      schema: {
        tags: ['Images'],
        summary: 'One image',
        params: ImageParams,
        response: { 200: ImageView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) =>
        imageView(await images.query({ op: 'get', tenant: tenant.id, id: params.id })),
    });
    app.patch('/v1/images/:id', {
      schema: {
        tags: ['Images'],
        summary: "Change an image's metadata",
        params: ImageParams,
        body: PatchBody,
        response: { 200: ImageView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant, body: { metadata } }) =>
        imageView(await images.write({ op: 'patch', tenant: tenant.id, id: params.id, metadata })),
    });
    app.delete('/v1/images/:id', {
      schema: {
        tags: ['Images'],
        summary: 'Delete an image from the index',
        description:
          'No result shows it from then on, until it is sent again. The stored picture and its embedding ' +
          'go when nothing has used them for their time to live.',
        params: ImageParams,
        response: {
          200: Type.Object({
            id: ImageId,
            object: Type.Literal('image'),
            deleted: Type.Literal(true),
          }),
          ...ERROR_RESPONSES,
        },
      },
      handler: async ({ params: { id }, tenant }) => {
        await images.write({ op: 'remove', tenant: tenant.id, id });
        return { id, object: 'image', deleted: true } as const;
      },
    });
    app.get('/v1/images/:id/duplicates', {
      schema: {
        tags: ['Images'],
        summary: 'Images that are nearly the same',
        params: ImageParams,
        querystring: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DUPLICATES })),
          min_score: Type.Optional(
            Type.Number({ minimum: -1, maximum: 1, description: `Default ${DUPLICATE_SCORE}.` }),
          ),
        }),
        response: { 200: HitsView, ...ERROR_RESPONSES },
      },
      handler: async ({ params: { id }, query, tenant }) => {
        const { limit = 20, min_score: minScore = DUPLICATE_SCORE } = query;
        const example = { id };
        const request = { tenant: tenant.id, example, limit, minScore, filter: {} };
        return hitsView((await images.query({ op: 'search', ...request })).hits);
      },
    });
  };
