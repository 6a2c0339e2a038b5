import scalar from '@scalar/fastify-api-reference';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

/** The API's description as a page, from files of this process, and as JSON. */
export const docsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' };
  });
  await app.register(scalar, { routePrefix: '/docs' });
  app.get('/docs/json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
};
