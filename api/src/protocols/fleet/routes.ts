import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FleetLook } from '../../core/metrics/fleet-metrics.ts';
import type { Services } from '../../core/services.ts';
import { ERROR_RESPONSES } from '../../http/error-schema.ts';
import { FleetView } from './schema.ts';

/** What the settings switch on that people can look at. */
interface FleetPages {
  readonly index: boolean;
  readonly adminKey?: string;
}

/** The fleet as a whole: who works, and what waits. */
export const fleetRoutes =
  ({ lookout }: Pick<Services, 'lookout'>, pages: FleetPages): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/v1/fleet',
      {
        schema: {
          tags: ['Models'],
          summary: 'The fleet as it stands',
          description:
            'Live workers and waiting jobs of every model, of all tenants, as of a second ago at most.',
          operationId: 'getFleet',
          response: { 200: FleetView, ...ERROR_RESPONSES },
        },
      },
      async () => fleetView(await lookout.look(), pages),
    );
  };

function fleetView({ live, queues, workers }: FleetLook, { index, adminKey }: FleetPages) {
  const models = [...new Set(workers.map(({ model }) => model))];
  return {
    object: 'fleet' as const,
    jobs: live,
    models: models.map((model) => ({
      id: model,
      encoders: countOf(workers, model, 'encoder'),
      decoders: countOf(workers, model, 'prefill-decode'),
      encodes_waiting: waitingOf(queues, model, 'encode'),
      generates_waiting: waitingOf(queues, model, 'generate'),
    })),
    pages: {
      docs: '/docs/',
      ...(index ? { gallery: '/gallery' } : {}),
      ...(adminKey === undefined ? {} : { queues: '/admin/queues' }),
    },
  };
}

const countOf = (workers: FleetLook['workers'], model: string, role: string): number =>
  workers.find((one) => one.model === model && one.role === role)?.count ?? 0;

const waitingOf = (queues: FleetLook['queues'], model: string, stage: string): number =>
  queues.find((one) => one.model === model && one.stage === stage)?.jobs ?? 0;
