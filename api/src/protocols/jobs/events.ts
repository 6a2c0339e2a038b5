import type { JobStore } from '@epd/jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ApiError } from '../../http/errors.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { followJob } from '../../core/streams/follow-job.ts';
import { HEARTBEAT_MS, SSE_HEARTBEAT, sendSse, sseEvent } from '../../http/sse.ts';
import { eventView } from './event-view.ts';
import { checkOwnJob } from './own-job.ts';

/** A job's stages and tokens as server-sent events, from any point, replayed and then live. */
export const jobEventRoutes =
  ({ jobs }: Pick<Services, 'jobs'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/jobs/:id/events',
      {
        schema: {
          tags: ['Jobs'],
          summary: "A job's events as they come",
          description:
            'Each event has its sequence number as `id`. A reader that comes back with `Last-Event-ID`, ' +
            'or with `starting_after`, resumes after it with no gap and no repeat, at any replica.',
          params: Type.Object({ id: Type.String() }),
          querystring: Type.Object({
            starting_after: Type.Optional(
              Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
            ),
          }),
          describes: {
            headers: ['Last-Event-ID'],
            events:
              '`stage`, `tokens` and `end`, each a JSON object with its sequence number as id.',
          },
          response: ERROR_RESPONSES,
        },
      },
      async (request, reply) => {
        const { id } = request.params;
        await checkOwnJob(jobs, id, request.tenant);
        const afterSeq =
          request.query.starting_after ?? lastEventId(request.headers['last-event-id']);
        return sendSse(reply, (signal) => frames(jobs, id, afterSeq, signal));
      },
    );
  };

async function* frames(jobs: JobStore, id: string, afterSeq: number, signal: AbortSignal) {
  for await (const event of followJob({ jobs, id, afterSeq, signal, idleMs: HEARTBEAT_MS })) {
    yield event === null
      ? SSE_HEARTBEAT
      : sseEvent(eventView(event), { id: event.seq, event: event.type });
  }
}

function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  const seq = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : null;
  if (seq !== null) return seq;
  throw new ApiError('invalid_header', 'Last-Event-ID: expected the id of an event of this stream');
}
