import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Accepted } from '../../core/accept/acceptor.ts';
import { earlierJob } from '../../core/accept/earlier-job.ts';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import { dropBody } from '../../http/body-parser.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ResponseBody, ResponseView } from './schema.ts';
import type { Services } from '../../core/services.ts';
import { awaitAnswer, endingWithReader } from '../../core/streams/await-answer.ts';
import { sendSse } from '../../http/sse.ts';
import { responseFrames } from './frames.ts';
import { responseView } from './view.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { idempotencyOf, sayReplayed } from '../../http/idempotency.ts';
import { responseContext } from './context.ts';
import { forgetUnstored } from './forget-unstored.ts';
import { responseSubmission } from './submission.ts';
import { withTypedItems } from './typed-items.ts';

/** OpenAI's responses: answered at once, streamed, or in the background. */
export const responseRoutes =
  (services: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { jobs, acceptor, ender } = services;

    /** Whoever sends again finds its response also when the one before it is forgotten by now. */
    async function accept(request: FastifyRequest, body: ResponseBody): Promise<Accepted> {
      const { tenant } = request;
      const earlier = await earlierJob(jobs, {
        tenant,
        idempotency: idempotencyOf(request, 'response'),
      });
      if (earlier !== null) return { job: earlier, repeated: true };
      const context = await responseContext(jobs, body, tenant);
      return acceptor.accept(responseSubmission(request, body, context));
    }

    app.post(
      '/v1/responses',
      {
        preValidation: [dropNulls, typeItems],
        onRequest: limitRequests(services.limiter),
        schema: {
          tags: ['OpenAI'],
          summary: 'Create a response',
          description:
            "As OpenAI's: plain, `stream: true`, or `background: true` to poll or stream it later from any replica. " +
            'When the caller of the first two goes away the response is cancelled, unless an `Idempotency-Key` came ' +
            'with it: then the same request, sent again, gets the answer, which is kept for that also with ' +
            '`store: false`.',
          describes: {
            headers: ['Idempotency-Key'],
            events: "OpenAI's `response.…` events, with `stream: true`.",
          },
          body: ResponseBody,
          response: { 200: ResponseView, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { stream, background = false } = request.body;
        const { job, repeated } = await accept(request, request.body);
        dropBody(request);
        sayReplayed(reply, repeated);
        if (stream === true) {
          return sendSse(reply, (reader) => {
            const frames = responseFrames(jobs, job, -1, reader);
            if (background) return frames;
            const afterwards = (): Promise<void> => forgetUnstored(jobs, job, request);
            return endingWithReader(frames, { job, ender, reader, reply, afterwards });
          });
        }
        if (background) return responseView(job);
        try {
          return responseView(await awaitAnswer(services, job, reply));
        } finally {
          await forgetUnstored(jobs, job, request);
        }
      },
    );
  };

async function typeItems(request: FastifyRequest): Promise<void> {
  request.body = withTypedItems(request.body);
}
