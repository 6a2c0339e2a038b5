import type { Job } from '@epd/jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Submission } from '../accept/acceptor.ts';
import { ApiError } from '../errors.ts';
import { ChatCompletion, ChatCompletionBody } from '../schemas/chat-completions.ts';
import { ERROR_RESPONSES } from '../schemas/errors.ts';
import type { Services } from '../services.ts';
import { followJob } from '../streams/follow-job.ts';
import { goneSignal } from '../streams/gone-signal.ts';
import { HEARTBEAT_MS, sendSse } from '../streams/sse.ts';
import { waitForEnd } from '../streams/wait-for-end.ts';
import { chatChunks } from '../views/chat-chunks.ts';
import { chatCompletion } from '../views/chat-completion.ts';
import { failureOf } from '../views/job-failure.ts';
import { dropNulls } from './drop-nulls.ts';
import { idempotencyOf } from './idempotency.ts';
import { traceparentOf } from './job-requests.ts';

/** OpenAI's clients wait ten minutes; a job that nobody waits for any more should not run. */
const ANSWER_WITHIN_S = 600;

/** OpenAI's chat completions: a job that the caller waits for, and that ends when the caller leaves. */
export const chatCompletionRoutes =
  ({ jobs, acceptor, ender }: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/v1/chat/completions',
      {
        preValidation: dropNulls,
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
        if (body.stream === true) {
          const includeUsage = body.stream_options?.include_usage ?? false;
          return sendSse(reply, async function* (signal) {
            const events = followJob({
              jobs,
              id: job.id,
              afterSeq: 0,
              signal,
              idleMs: HEARTBEAT_MS,
            });
            try {
              yield* chatChunks({ jobs, job, events, includeUsage });
            } finally {
              if (signal.aborted && !app.closing.aborted) await ender.cancel(job);
            }
          });
        }
        return chatCompletion(await answered(job, goneSignal(reply)));
      },
    );

    /** The job with its answer. Throws what became of it instead. */
    const answered = async (job: Job, gone: AbortSignal): Promise<Job> => {
      const ended = await waitForEnd(jobs, job.id, ANSWER_WITHIN_S * 1000, gone);
      if (ended === null) throw new ApiError('job_cancelled', 'The job was deleted');
      if (ended.ending === null) {
        if (app.closing.aborted)
          throw new ApiError('unavailable', 'The server is stopping; ask again', {
            retryAfterS: 1,
          });
        await ender.cancel(ended);
        throw new ApiError('job_expired', `No answer within ${ANSWER_WITHIN_S} s`);
      }
      const failure = failureOf(ended);
      if (failure !== null) throw failure;
      return ended;
    };
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
