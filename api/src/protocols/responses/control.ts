import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ResponseView } from './schema.ts';
import type { Services } from '../../core/services.ts';
import { sendSse } from '../../http/sse.ts';
import { PageQuery, pageOf, pageSchema, unknownPlace } from '../../http/pagination.ts';
import { inputItemViews } from './input-view.ts';
import { responseFrames } from './frames.ts';
import { responseView } from './view.ts';
import { ownResponse } from './own-response.ts';

const ResponseParams = Type.Object({ id: Type.String() });

/** Looking at a response again, resuming its stream, cancelling and deleting it. */
export const responseControlRoutes =
  ({ jobs, ender, reader }: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/responses/:id',
      {
        schema: {
          tags: ['OpenAI'],
          summary: 'A response as it stands, or its stream',
          description:
            '`stream=true` replays its events, after `starting_after` if given, and continues live.',
          describes: { events: "OpenAI's `response.…` events, with `stream=true`." },
          params: ResponseParams,
          querystring: Type.Object({
            stream: Type.Optional(Type.Boolean()),
            starting_after: Type.Optional(Type.Integer({ minimum: 0 })),
          }),
          response: { 200: ResponseView, ...ERROR_RESPONSES },
        },
      },
      async ({ params, query, tenant }, reply) => {
        const job = await ownResponse(jobs, params.id, tenant);
        if (query.stream !== true) return responseView(job, await reader.partial(job));
        return sendSse(reply, (signal) =>
          responseFrames(jobs, job, query.starting_after ?? -1, signal),
        );
      },
    );
    app.get('/v1/responses/:id/input_items', {
      schema: {
        tags: ['OpenAI'],
        summary: 'What a response was asked, item by item',
        description: 'Earlier turns included, the newest item first.',
        params: ResponseParams,
        querystring: PageQuery,
        response: { 200: pageSchema(Type.Unknown()), ...ERROR_RESPONSES },
      },
      handler: async ({ params, query, tenant }) => {
        const items = inputItemViews(await ownResponse(jobs, params.id, tenant));
        return itemPage(items, query);
      },
    });
    app.post('/v1/responses/:id/cancel', {
      schema: {
        tags: ['OpenAI'],
        summary: 'Cancel a response',
        params: ResponseParams,
        response: { 200: ResponseView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) => {
        const job = await ender.cancel(await ownResponse(jobs, params.id, tenant));
        return responseView(job, await reader.partial(job));
      },
    });
    app.delete('/v1/responses/:id', {
      schema: {
        tags: ['OpenAI'],
        summary: 'Delete a response',
        params: ResponseParams,
        response: {
          200: Type.Object({
            id: Type.String(),
            object: Type.Literal('response'),
            deleted: Type.Literal(true),
          }),
          ...ERROR_RESPONSES,
        },
      },
      handler: async ({ params, tenant }) => {
        const job = await ownResponse(jobs, params.id, tenant);
        await ender.cancel(job);
        await jobs.remove(job.id);
        return { id: params.id, object: 'response', deleted: true } as const;
      },
    });
  };

const PAGE = 20;

function itemPage(
  oldestFirst: { id: string }[],
  { limit = PAGE, order = 'desc', after }: Static<typeof PageQuery>,
) {
  const items = order === 'desc' ? oldestFirst.toReversed() : oldestFirst;
  const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) throw unknownPlace('an item');
  return pageOf(items.slice(start, start + limit), items.length > start + limit);
}
