import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Completion, CompletionBody } from './schema.ts';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import { dropBody } from '../../http/body-parser.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { awaitAnswer, endingWithReader } from '../../core/streams/await-answer.ts';
import { followJob } from '../../core/streams/follow-job.ts';
import { HEARTBEAT_MS, sendSse } from '../../http/sse.ts';
import { textChunks } from './chunks.ts';
import { textCompletion } from './view.ts';
import { completionSubmission } from './submission.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { sayReplayed } from '../../http/idempotency.ts';

/** OpenAI's completions: a job that the caller waits for, and that ends when the caller leaves for good. */
export const completionRoutes =
  (services: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { jobs, acceptor, ender } = services;
    app.post(
      '/v1/completions',
      {
        preValidation: dropNulls,
        onRequest: limitRequests(services.limiter),
        schema: {
          tags: ['OpenAI'],
          summary: 'Create a completion',
          description:
            "OpenAI's older endpoint: text that continues a prompt, plain and streaming. Ends the job when the caller goes away, unless an " +
            '`Idempotency-Key` came with it: then the same request, sent again, gets the answer.',
          describes: {
            headers: ['Idempotency-Key'],
            events: "OpenAI's chunks, with `stream: true`; the last line is `data: [DONE]`.",
          },
          body: CompletionBody,
          response: { 200: Completion, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { stream, stream_options: options } = request.body;
        const { job, repeated } = await acceptor.accept(
          completionSubmission(request, request.body),
        );
        dropBody(request);
        sayReplayed(reply, repeated);
        if (stream !== true) return textCompletion(await awaitAnswer(services, job, reply));
        const includeUsage = options?.include_usage ?? false;
        return sendSse(reply, (reader) => {
          const events = followJob({
            jobs,
            id: job.id,
            afterSeq: 0,
            signal: reader,
            idleMs: HEARTBEAT_MS,
          });
          const chunks = textChunks({ jobs, job, events, includeUsage });
          return endingWithReader(chunks, { job, ender, reader, reply });
        });
      },
    );
  };
