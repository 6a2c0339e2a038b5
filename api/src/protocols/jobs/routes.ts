import type { Job, JobStore } from '@epd/jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import { dropBody } from '../../http/body-parser.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { JobBody } from './schema.ts';
import { JobView } from '../../core/jobs/job-view-schema.ts';
import type { Services } from '../../core/services.ts';
import { goneSignal } from '../../http/gone-signal.ts';
import { waitForEnd } from '../../core/streams/wait-for-end.ts';
import { dropNulls } from '../../http/drop-nulls.ts';
import { sayReplayed } from '../../http/idempotency.ts';
import { submissionOf } from './submission.ts';
import { ownJob } from './own-job.ts';
import { applyWait, preferredWaitMs } from '../../http/prefer-wait.ts';

const JobParams = Type.Object({ id: Type.String() });

/** Submission and polling of the durable job. */
export const jobRoutes =
  (services: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { jobs, acceptor, reader, webhookRules } = services;
    app.post(
      '/v1/jobs',
      {
        onRequest: limitRequests(services.limiter),
        preValidation: dropNulls,
        schema: {
          tags: ['Jobs'],
          summary: 'Submit a job',
          description:
            'Accepts the job durably and answers 202 at once; poll it or follow its events. With ' +
            '`Prefer: wait=n` the answer comes when the job has ended (then it is 200) or after n seconds. ' +
            '`Idempotency-Key` makes it safe to send again: the same key and body are the same job while it is ' +
            'kept, a day at most, and make a new one after that.',
          describes: { headers: ['Prefer', 'Idempotency-Key'] },
          body: JobBody,
          response: { 200: JobView, 202: JobView, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { job, repeated, ahead } = await acceptor.accept(
          submissionOf(request, request.body, webhookRules),
        );
        dropBody(request);
        sayReplayed(reply, repeated);
        void reply.header('location', `/v1/jobs/${job.id}`);
        const latest = await waited(jobs, job, request, reply);
        // Without waiting the answer is 202, however fast the fleet was.
        const done = request.headers['prefer'] !== undefined && latest.ending !== null;
        const view = await reader.view(latest, latest === job ? ahead : undefined);
        return reply.code(done ? 200 : 202).send(view);
      },
    );
    app.get(
      '/v1/jobs/:id',
      {
        schema: {
          tags: ['Jobs'],
          summary: 'A job as it stands',
          describes: { headers: ['Prefer'] },
          params: JobParams,
          response: { 200: JobView, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const job = await ownJob(jobs, request.params.id, request.tenant);
        return reader.view(await waited(jobs, job, request, reply));
      },
    );
  };

/** The job after the wait that the caller prefers, if any. */
async function waited(
  jobs: JobStore,
  job: Job,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Job> {
  const waitMs = preferredWaitMs(request);
  applyWait(reply, waitMs);
  if (waitMs === 0 || job.ending !== null) return job;
  return (await waitForEnd(jobs, job.id, waitMs, goneSignal(reply))) ?? job;
}
