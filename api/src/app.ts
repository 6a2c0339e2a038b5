import { randomUUID } from 'node:crypto';
import type { Readiness } from '@epd/service';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { needsKeys, type ApiConfig } from './config.ts';
import { Connections } from './connections.ts';
import { answerFrameworkError, installErrorHandler } from './http/error-handler.ts';
import { installBodyParser } from './http/body-parser.ts';
import { limitOpenRequests } from './http/open-requests.ts';
import { installCors } from './http/cors.ts';
import { installRequestGuard } from './http/request-guard.ts';
import { installOpenApi } from './http/openapi/install.ts';
import { adminKeyRoutes } from './protocols/admin/keys.ts';
import { modelRevisionRoutes } from './protocols/admin/model-revisions.ts';
import { adminTenantRoutes } from './protocols/admin/tenants.ts';
import { batchControlRoutes } from './protocols/batches/control.ts';
import { batchRoutes } from './protocols/batches/routes.ts';
import type { BoardParts } from './protocols/admin/queue-board.ts';
import { chatCompletionRoutes } from './protocols/chat/routes.ts';
import { completionRoutes } from './protocols/completions/routes.ts';
import { installMetrics } from './core/metrics/api-metrics.ts';
import { docsRoutes } from './protocols/operation/docs.ts';
import { embeddingRoutes } from './protocols/embeddings/routes.ts';
import { fileControlRoutes } from './protocols/files/control.ts';
import { fileRoutes } from './protocols/files/routes.ts';
import { imageContentRoutes } from './protocols/images/content.ts';
import { imageRoutes } from './protocols/images/routes.ts';
import { imageRecommendRoutes } from './protocols/images/recommend.ts';
import { imageSearchRoutes } from './protocols/images/search.ts';
import { fleetRoutes } from './protocols/fleet/routes.ts';
import { healthRoutes } from './protocols/operation/health.ts';
import { jobControlRoutes } from './protocols/jobs/control.ts';
import { jobListRoutes } from './protocols/jobs/list.ts';
import { jobEventRoutes } from './protocols/jobs/events.ts';
import { jobRoutes } from './protocols/jobs/routes.ts';
import { metricsRoutes } from './protocols/operation/metrics.ts';
import { modelRoutes } from './protocols/models/routes.ts';
import { pageRoutes } from './protocols/page/routes.ts';
import { responseControlRoutes } from './protocols/responses/control.ts';
import { responseRoutes } from './protocols/responses/routes.ts';
import { uploadRoutes } from './protocols/uploads/routes.ts';
import { webhookRoutes } from './protocols/webhooks/routes.ts';
import type { Services } from './core/services.ts';
import { installValidation } from './http/validation.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Aborted as the server closes: streams end, their readers come back to another replica. */
    readonly closing: AbortSignal;
  }
  interface FastifyRequest {
    receivedAtMs: number;
  }
}

interface AppOptions {
  readonly services: Services;
  readonly registry: Registry;
  /** For the queue board; it is there when there is an admin key. */
  readonly redis: Redis;
  readonly ready: () => Promise<Readiness>;
  readonly config: ApiConfig;
  readonly log?: FastifyBaseLogger;
}

/** How late a request that takes too long to arrive may be found. */
const MAX_CHECK_MS = 10_000;

/** Loading a file waits for others on a machine that starts a whole fleet at once. */
const PLUGIN_TIMEOUT_MS = 120_000;

/** The API without a port: `inject` or `listen`. Closing it ends its streams, nothing else. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { services, registry, redis, config, log } = options;
  const { adminKey, prefix } = config;
  const app: FastifyInstance = Fastify({
    bodyLimit: config.maxBodyBytes,
    pluginTimeout: PLUGIN_TIMEOUT_MS,
    requestTimeout: config.requestTimeoutMs,
    http: { connectionsCheckingInterval: Math.min(config.requestTimeoutMs, MAX_CHECK_MS) },
    routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
    // Requests received before the server closed are answered.
    return503OnClosing: false,
    ...(log === undefined ? {} : { loggerInstance: log }),
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `req_${randomUUID()}`,
    // A logger for each request would be made for the few that have something to log.
    childLoggerFactory: (logger) => logger,
    frameworkErrors: answerFrameworkError,
  });
  installClosing(app);
  installMetrics(app, registry, services.throughput);
  installErrorHandler(app);
  installValidation(app);
  installRequestFacts(app);
  await installCors(app, config.corsOrigins);
  installRequestGuard(app, { ...config, loopbackOnly: !needsKeys(config) && !config.open });
  services.authenticator.install(app);
  limitOpenRequests(app, config.tenantOpenRequests);
  installBodyParser(app, services.memory, config);
  await installOpenApi(app);
  for (const [name, routes] of Object.entries(routesOf(options)))
    await app.register(named(name, routes));
  if (adminKey !== undefined) await installQueueBoard(app, { services, redis, prefix });
  return app;
}

const routesOf = ({
  services,
  registry,
  ready,
  config,
}: AppOptions): Record<string, FastifyPluginAsyncTypebox> => ({
  jobRoutes: jobRoutes(services),
  jobListRoutes: jobListRoutes(services),
  jobControlRoutes: jobControlRoutes(services),
  jobEventRoutes: jobEventRoutes(services),
  webhookRoutes: webhookRoutes(services),
  chatCompletionRoutes: chatCompletionRoutes(services),
  completionRoutes: completionRoutes(services),
  responseRoutes: responseRoutes(services),
  responseControlRoutes: responseControlRoutes(services),
  fileRoutes: fileRoutes(services, config.maxFileBytes),
  fileControlRoutes: fileControlRoutes(services),
  uploadRoutes: uploadRoutes(services, config.maxFileBytes),
  batchRoutes: batchRoutes(services),
  batchControlRoutes: batchControlRoutes(services),
  imageSearchRoutes: imageSearchRoutes(services, config.maxImageBytes),
  imageRecommendRoutes: imageRecommendRoutes(services),
  imageRoutes: imageRoutes(services),
  imageContentRoutes: imageContentRoutes(services, config),
  embeddingRoutes: embeddingRoutes(services),
  modelRoutes: modelRoutes(services),
  fleetRoutes: fleetRoutes(services, config),
  adminKeyRoutes: adminKeyRoutes(services),
  adminTenantRoutes: adminTenantRoutes(services),
  modelRevisionRoutes: modelRevisionRoutes(services),
  healthRoutes: healthRoutes(ready),
  metricsRoutes: metricsRoutes(registry),
  docsRoutes,
  pageRoutes,
});

/** For a plugin without a display name Fastify searches all loaded modules. */
const named = (name: string, routes: FastifyPluginAsyncTypebox): FastifyPluginAsyncTypebox =>
  Object.assign(routes, { [Symbol.for('fastify.display-name')]: name });

/** Loaded only where there is an admin key to look at it with. */
async function installQueueBoard(app: FastifyInstance, parts: BoardParts): Promise<void> {
  const { queueBoardRoutes } = await import('./protocols/admin/queue-board.ts');
  await app.register(queueBoardRoutes(parts));
}

function installClosing(app: FastifyInstance): void {
  const closing = new AbortController();
  const connections = new Connections(app.server);
  app.decorate('closing', closing.signal);
  app.addHook('preClose', async () => {
    closing.abort();
    connections.endIdle();
  });
}

function installRequestFacts(app: FastifyInstance): void {
  app.decorateRequest('receivedAtMs', 0);
  app.addHook('onRequest', (request, reply, done) => {
    request.receivedAtMs = Date.now();
    // What a caller can quote, and an operator find in the logs.
    void reply.header('x-request-id', request.id);
    done();
  });
}
