import { jobSchemas, PlaceError } from '@epd/jobs';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { ApiError } from '../../http/errors.ts';
import { JobView } from '../../core/jobs/job-view-schema.ts';
import { PageQuery, pageOf, pageSchema } from '../../http/pagination.ts';
import type { Services } from '../../core/services.ts';

/** A tenant's jobs, the newest first. */
export const jobListRoutes =
  ({ jobs, reader }: Services): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/jobs',
      {
        schema: {
          tags: ['Jobs'],
          summary: 'List jobs',
          description:
            'A page of jobs. Continue with `after` set to `last_id` while `has_more` is true, also when that job was ' +
            'deleted meanwhile; once it is forgotten, `after` is refused.',
          querystring: Type.Object({
            ...PageQuery.properties,
            status: Type.Optional(jobSchemas.JobStatus),
          }),
          response: { 200: pageSchema(JobView), ...ERROR_RESPONSES },
        },
      },
      async ({ query, tenant }) => {
        const { limit = 20, order = 'desc', after, status } = query;
        const { jobs: page, hasMore } = await jobs
          .list({
            tenant: tenant.id,
            limit,
            order,
            ...(after === undefined ? {} : { after }),
            ...(status === undefined ? {} : { status }),
          })
          .catch(refuse);
        return pageOf(await Promise.all(page.map((job) => reader.summary(job))), hasMore);
      },
    );
  };

function refuse(error: unknown): never {
  if (!(error instanceof PlaceError)) throw error;
  const message = `after: expected a job of this list; ${error.message}`;
  throw new ApiError('invalid_value', message, { param: 'after', cause: error });
}
