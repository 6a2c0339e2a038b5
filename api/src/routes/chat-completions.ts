import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Submission } from '../accept/acceptor.ts';
import { ChatCompletion, ChatCompletionBody } from '../schemas/chat-completions.ts';
import { limitRequests } from '../limits/limit-requests.ts';
import { ERROR_RESPONSES } from '../schemas/errors.ts';
import type { Services } from '../services.ts';
import { ANSWER_WITHIN_S, awaitAnswer, endingWithReader } from '../streams/await-answer.ts';
import { followJob } from '../streams/follow-job.ts';
import { HEARTBEAT_MS, sendSse } from '../streams/sse.ts';
import { chatChunks } from '../views/chat-chunks.ts';
import { chatCompletion } from '../views/chat-completion.ts';
import { dropNulls } from './drop-nulls.ts';
import { idempotencyOf } from './idempotency.ts';
import { traceparentOf } from './job-requests.ts';

/** OpenAI's chat completions: a job that the caller waits for, and that ends when the caller leaves. */
export const chatCompletionRoutes =
  (services: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { jobs, acceptor, ender } = services;
    app.post(
      '/v1/chat/completions',
      {
        preValidation: dropNulls,
        preHandler: limitRequests(services.limiter),
        schema: {
          tags: ['OpenAI'],
          summary: 'Create a chat completion',
          description: "As OpenAI's, plain and streaming. Ends the job when the caller goes away.",
          body: ChatCompletionBody,
          response: { 200: ChatCompletion, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const { job } = await acceptor.accept(submissionOf(request, body));
        if (body.stream !== true) return chatCompletion(await awaitAnswer(services, job, reply));
        const includeUsage = body.stream_options?.include_usage ?? false;
        return sendSse(reply, (reader) => {
          const events = followJob({
            jobs,
            id: job.id,
            afterSeq: 0,
            signal: reader,
            idleMs: HEARTBEAT_MS,
          });
          const chunks = chatChunks({ jobs, job, events, includeUsage });
          return endingWithReader(chunks, { job, ender, reader, closing: app.closing });
        });
      },
    );
  };

function submissionOf(request: FastifyRequest, body: ChatCompletionBody): Submission {
  const maxTokens = body.max_completion_tokens ?? body.max_tokens;
  return {
    tenant: request.tenant,
    model: body.model,
    messages: body.messages,
    sampling: maxTokens === undefined ? body : { ...body, max_tokens: maxTokens },
    returnTokenIds: body.return_token_ids ?? false,
    priority: body.priority ?? 0,
    startWithinS: null,
    finishWithinS: ANSWER_WITHIN_S,
    notes: { kind: 'chat' },
    receivedAtMs: request.receivedAtMs,
    traceparent: traceparentOf(request),
    idempotency: idempotencyOf(request, 'chat'),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
  };
}
