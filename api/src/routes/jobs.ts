import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ERROR_RESPONSES } from '../schemas/errors.ts';
import { JobBody, JobView } from '../schemas/jobs.ts';
import type { Services } from '../services.ts';
import { submissionOf } from './job-requests.ts';
import { ownJob } from './own-job.ts';

const JobParams = Type.Object({ id: Type.String() });

/** Submission and polling of the durable job. */
export const jobRoutes =
  ({ jobs, acceptor, reader }: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/v1/jobs',
      {
        schema: {
          tags: ['Jobs'],
          summary: 'Submit a job',
          description:
            'Accepts the job durably and answers at once; poll it, follow its events, or wait.',
          body: JobBody,
          response: { 202: JobView, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { job } = await acceptor.accept(submissionOf(request, request.body));
        return reply
          .code(202)
          .header('location', `/v1/jobs/${job.id}`)
          .send(await reader.view(job));
      },
    );
    app.get(
      '/v1/jobs/:id',
      {
        schema: {
          tags: ['Jobs'],
          summary: 'A job as it stands',
          params: JobParams,
          response: { 200: JobView, ...ERROR_RESPONSES },
        },
      },
      // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits handlers, Express did not
      async ({ params, tenant }) => reader.view(await ownJob(jobs, params.id, tenant)),
    );
  };
