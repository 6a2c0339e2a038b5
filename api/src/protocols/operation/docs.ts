import scalar from '@scalar/fastify-api-reference';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

/** The page would take fonts from its maker's host, and offer services of its maker's. */
const NOTHING_FROM_OUTSIDE = {
  pageTitle: 'epd-fleet: the API',
  favicon: 'data:,',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  mcp: { disabled: true },
  agent: { disabled: true },
} as const;

/** The API's description as a page, from files of this process, and as JSON. */
export const docsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' };
  });
  await app.register(scalar, { routePrefix: '/docs', configuration: NOTHING_FROM_OUTSIDE });
  app.get('/docs/json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
};
