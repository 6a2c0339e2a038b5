import { randomBytes } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { ApiError } from '../../http/errors.ts';
import type { FileRecord } from '../../core/files/file-records.ts';
import type { Files } from '../../core/files/files.ts';
import { BatchBody, BatchView } from './schema.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { limitRequests } from '../../core/limits/limit-requests.ts';
import { PageQuery, pageOf, pageSchema, unknownPlace } from '../../http/pagination.ts';
import type { Services } from '../../core/services.ts';
import type { Tenant } from '../../core/auth/tenant.ts';
import { batchView } from './view.ts';
import { ownBatch } from './own-batch.ts';

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** Batches take minutes. */
const RETRY_S = 60;
const MAX_WINDOW_MS = 7 * 24 * 3_600_000;

/** OpenAI's batches: a file of requests in, a file of answers out. */
export const batchRoutes =
  ({
    batches,
    files,
    limiter,
  }: Pick<Services, 'batches' | 'files' | 'limiter'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.post(
      '/v1/batches',
      {
        onRequest: limitRequests(limiter),
        schema: {
          tags: ['Files'],
          summary: 'Create a batch',
          description:
            'Each line of the input file is `{custom_id, method, url, body}`. Its answers come in `output_file_id`, its failures in `error_file_id`.',
          body: BatchBody,
          response: { 200: BatchView, ...ERROR_RESPONSES },
        },
      },
      async ({ body, tenant }) => {
        const file = await batchInput(files, body.input_file_id, tenant);
        const createdAtMs = await batches.nowMs();
        const id = `batch_${randomBytes(16).toString('hex')}`;
        const request = {
          id,
          tenant: tenant.id,
          endpoint: body.endpoint,
          inputFileId: file.id,
          metadata: body.metadata ?? {},
          createdAtMs,
          completionWindow: body.completion_window,
          expiresAtMs: createdAtMs + windowMs(body.completion_window),
        };
        const { activeBatches } = tenant.limits;
        if (!(await batches.create(request, activeBatches))) throw tooMany(activeBatches);
        return batchView(await ownBatch(batches, id, tenant));
      },
    );
    app.get(
      '/v1/batches',
      {
        schema: {
          tags: ['Files'],
          summary: 'List batches',
          querystring: Type.Pick(PageQuery, ['limit', 'after']),
          response: { 200: pageSchema(BatchView), ...ERROR_RESPONSES },
        },
      },
      async ({ query, tenant }) => {
        const page = await batches.list(tenant.id, query.limit ?? 20, query.after);
        if (page === null) throw unknownPlace('a batch');
        return pageOf(page.batches.map(batchView), page.hasMore);
      },
    );
  };

const tooMany = (maxActive: number): ApiError =>
  new ApiError(
    'too_many_batches',
    `Expected at most ${maxActive} batches of a tenant at work; wait for one to end`,
    { retryAfterS: RETRY_S },
  );

async function batchInput(files: Files, id: string, tenant: Tenant): Promise<FileRecord> {
  const file = await files.get(tenant.id, id);
  if (file.purpose === 'batch') return file;
  const message = `input_file_id: expected a file for batch, got one for ${file.purpose}`;
  throw new ApiError('invalid_file', message, { param: 'input_file_id' });
}

function windowMs(window: string): number {
  const ms = Number(window.slice(0, -1)) * (UNIT_MS[window.slice(-1)] ?? 0);
  if (ms <= MAX_WINDOW_MS) return ms;
  throw new ApiError('invalid_value', `completion_window: expected a week at most, got ${window}`, {
    param: 'completion_window',
  });
}
