import { Lazy } from '@epd/connector';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyInstance } from 'fastify';

/**
 * The page would take fonts from its maker's host, and offer services of its maker's. What it calls models are the
 * schemas, beside the tag of our models: each is shown where it is used.
 */
const NOTHING_FROM_OUTSIDE = {
  pageTitle: 'epd-fleet: the API',
  favicon: 'data:,',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  hideModels: true,
  showDeveloperTools: 'never',
  mcp: { disabled: true },
  agent: { disabled: true },
} as const;

/** The API's description as a page, from files of this process, and as JSON. */
export const docsRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const page = new Lazy(loadPage);
  app.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'public' };
  });
  app.get('/docs/json', { schema: { hide: true } }, async () => app.swagger());
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  for (const url of ['/docs', '/docs/js/scalar.js']) {
    app.get(url, { schema: { hide: true } }, async (request, reply) => {
      const answer = await (await page.get()).inject({ url: request.url });
      const { statusCode, headers, rawPayload } = answer;
      return reply.code(statusCode).headers(headers).send(rawPayload);
    });
  }
  app.addHook('onClose', async () => (await page.made())?.close());
};

/** The page's script alone is five megabytes: it is loaded when somebody looks. */
async function loadPage(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const page = Fastify();
  const configuration = { ...NOTHING_FROM_OUTSIDE, url: './json' };
  await page.register(scalar, { routePrefix: '/docs', configuration });
  return page;
}
