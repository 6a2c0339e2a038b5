import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { JobView } from '../../core/jobs/job-view-schema.ts';
import type { Services } from '../../core/services.ts';
import { ownJob } from './own-job.ts';

const JobParams = Type.Object({ id: Type.String() });

/** Cancelling and deleting jobs. */
export const jobControlRoutes =
  ({ jobs, ender, reader }: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post('/v1/jobs/:id/cancel', {
      schema: {
        tags: ['Jobs'],
        summary: 'Cancel a job',
        description:
          'Ends the job now, wherever it stands; what it has written is kept. A job that has ended already stays as it is.',
        params: JobParams,
        response: { 200: JobView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) =>
        reader.view(await ender.cancel(await ownJob(jobs, params.id, tenant))),
    });
    app.delete('/v1/jobs/:id', {
      schema: {
        tags: ['Jobs'],
        summary: 'Delete a job',
        description: 'Cancels it if it has not ended, and forgets it with its events.',
        params: JobParams,
        response: {
          200: Type.Object({
            id: Type.String(),
            object: Type.Literal('job'),
            deleted: Type.Literal(true),
          }),
          ...ERROR_RESPONSES,
        },
      },
      handler: async ({ params, tenant }) => {
        const job = await ownJob(jobs, params.id, tenant);
        await ender.cancel(job);
        await jobs.remove(job.id);
        return { id: job.id, object: 'job', deleted: true } as const;
      },
    });
  };
