import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { IServerAdapter } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import { encodeQueueName, generateQueueName } from '@epd/connector';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Services } from '../../core/services.ts';
import { WEBHOOK_QUEUE } from '../../core/webhooks/webhook-queue.ts';

const PATH = '/admin/queues';

export interface BoardParts {
  readonly services: Pick<Services, 'models'>;
  readonly redis: Redis;
  readonly prefix: string;
}

/**
 * The queues as they stand, to look at: jobs belong to the durable record, and what is done to them
 * behind its back would be put right again. A browser asks for the admin key as a password.
 */
export const queueBoardRoutes =
  ({ services, redis, prefix }: BoardParts): FastifyPluginAsyncTypebox =>
  async (app) => {
    const queues = new Map<string, Queue>();
    const adapter = new FastifyAdapter();
    adapter.setBasePath(PATH);
    // Their own types disagree over an optional property.
    const serverAdapter = adapter as unknown as IServerAdapter;
    const board = createBullBoard({ queues: [], serverAdapter });

    const show = (name: string): void => {
      if (queues.has(name)) return;
      const queue = new Queue(name, { connection: redis, prefix });
      queue.on('error', () => undefined); // the look that fails says so
      queues.set(name, queue);
      board.addQueue(new BullMQAdapter(queue, { readOnlyMode: true }));
    };

    app.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'admin' };
      route.schema = { ...route.schema, hide: true };
    });
    app.addHook('onRequest', async () => {
      show(WEBHOOK_QUEUE);
      for (const { id } of await services.models.models()) {
        show(encodeQueueName(id));
        show(generateQueueName(id));
      }
    });
    app.addHook('onClose', async () => {
      await Promise.all(Array.from(queues.values(), (queue) => queue.close()));
    });
    await app.register(adapter.registerPlugin(), { prefix: PATH });
  };
