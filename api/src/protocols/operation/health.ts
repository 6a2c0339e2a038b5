import { readiness, type Readiness } from '@epd/service';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';

const Report = Type.Object(
  { ready: Type.Boolean() },
  { additionalProperties: true, title: 'Readiness' },
);

/** `/healthz`: the process lives. `/readyz`: a load balancer may send it work. */
export const healthRoutes =
  (ready: () => Promise<Readiness>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/healthz',
      {
        config: { access: 'public' },
        schema: {
          tags: ['Operation'],
          summary: 'Whether the process lives',
          response: { 200: Type.Object({ status: Type.Literal('ok') }) },
        },
      },
      async () => ({ status: 'ok' }) as const,
    );
    // vLLM's name for the question whether work may be sent; its users' probes ask by status alone.
    app.get(
      '/health',
      {
        config: { access: 'public' },
        schema: {
          tags: ['Operation'],
          summary: 'Whether work may be sent here, by status',
          response: { 200: Report, 503: Report },
        },
      },
      async (_request, reply) => {
        const { ready: isReady } = await readiness(ready);
        return reply.code(isReady ? 200 : 503).send({ ready: isReady });
      },
    );
    app.get(
      '/readyz',
      {
        config: { access: 'public' },
        schema: {
          tags: ['Operation'],
          summary: 'Whether work may be sent here',
          response: { 200: Report, 503: Report },
        },
      },
      async (_request, reply) => {
        const report = await readiness(ready);
        return reply.code(report.ready ? 200 : 503).send(report);
      },
    );
  };
