import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { BatchView } from './schema.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import type { Services } from '../../core/services.ts';
import { batchView } from './view.ts';
import { ownBatch } from './own-batch.ts';

const BatchParams = Type.Object({ id: Type.String({ maxLength: 100 }) });

/** Looking at a batch again, and cancelling it. */
export const batchControlRoutes =
  ({ batches }: Pick<Services, 'batches'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get('/v1/batches/:id', {
      schema: {
        tags: ['Files'],
        summary: 'A batch as it stands',
        params: BatchParams,
        response: { 200: BatchView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) => batchView(await ownBatch(batches, params.id, tenant)),
    });
    app.post('/v1/batches/:id/cancel', {
      schema: {
        tags: ['Files'],
        summary: 'Cancel a batch',
        description: 'What is done stays in its output file.',
        params: BatchParams,
        response: { 200: BatchView, ...ERROR_RESPONSES },
      },
      handler: async ({ params, tenant }) => {
        const { id } = await ownBatch(batches, params.id, tenant);
        await batches.enter(id, 'cancelling', 'validating', 'in_progress');
        return batchView(await ownBatch(batches, id, tenant));
      },
    });
  };
