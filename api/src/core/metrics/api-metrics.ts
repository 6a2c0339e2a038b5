import type { FastifyInstance } from 'fastify';
import { whenOver } from '../../http/when-over.ts';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { answeredCode } from '../../http/error-handler.ts';
import type { Throughput } from '../limits/throughput.ts';

/** From a response out of memory to a stream that lasts as long as its job. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];

/**
 * Counts requests by route, method and status: never by values that callers choose, such as ids.
 */
export function installMetrics(
  app: FastifyInstance,
  registry: Registry,
  throughput: Throughput,
): void {
  const seconds = new Histogram({
    name: 'epd_http_request_seconds',
    help: 'Time from the head of a request to the end of its response',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [registry],
  });
  const streams = new Gauge({
    name: 'epd_http_open_requests',
    help: 'Requests in progress, including open event streams',
    registers: [registry],
  });
  const refused = new Counter({
    name: 'epd_http_refused_total',
    help: 'Requests answered with an error, by error code',
    labelNames: ['code'],
    registers: [registry],
  });
  registerWaiting(registry, throughput);
  countStreams(app, registry);
  countRefusals(app, registry);
  app.addHook('onRequest', (_request, reply, done) => {
    streams.inc();
    whenOver(reply, () => streams.dec());
    done();
  });
  app.addHook('onResponse', (_request, reply, done) => {
    const code = answeredCode(reply);
    if (code !== null) refused.inc({ code });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { method: request.method, route, status: reply.statusCode };
    seconds.observe(labels, reply.elapsedTime / 1000);
    done();
  });
}

/** Open event streams of all routes. */
function countStreams(app: FastifyInstance, registry: Registry): void {
  const open = new Gauge({
    name: 'epd_event_streams',
    help: 'Open event streams',
    registers: [registry],
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (String(reply.getHeader('content-type')).startsWith('text/event-stream')) {
      open.inc();
      whenOver(reply, () => open.dec());
    }
    done();
  });
}

/** Routes that submit jobs. */
const SUBMISSIONS = new Set(['/v1/jobs', '/v1/chat/completions', '/v1/responses']);

function countRefusals(app: FastifyInstance, registry: Registry): void {
  const refused = new Counter({
    name: 'epd_jobs_refused_total',
    help: 'Jobs refused, by error code',
    labelNames: ['reason'],
    registers: [registry],
  });
  app.addHook('onResponse', (request, reply, done) => {
    const reason = answeredCode(reply);
    const submits = request.method === 'POST' && SUBMISSIONS.has(request.routeOptions.url ?? '');
    if (submits && reason !== null) refused.inc({ reason });
    done();
  });
}

export interface JobCounts {
  accepted(model: string): void;
  /** A live job's queue entry was lost and is restored. */
  lost(): void;
  /** Redis lost its data. */
  dataLost(): void;
}

export function jobCounts(registry: Registry): JobCounts {
  const registers = [registry];
  const accepted = new Counter({
    name: 'epd_jobs_accepted_total',
    help: 'Jobs accepted',
    labelNames: ['model'],
    registers,
  });
  const lost = new Counter({
    name: 'epd_jobs_lost_total',
    help: 'Live jobs whose queue entry was lost and that were requeued',
    registers,
  });
  const dataLost = new Counter({
    name: 'epd_redis_data_losses_total',
    help: 'Data losses of Redis noticed: emptied, replaced, or evicting',
    registers,
  });
  return {
    accepted: (model) => accepted.inc({ model }),
    lost: () => lost.inc(),
    dataLost: () => dataLost.inc(),
  };
}

function registerWaiting(registry: Registry, throughput: Throughput): void {
  const waiting: Gauge<'unit'> = new Gauge({
    name: 'epd_waiting_work',
    help: 'Jobs that have not ended: their number, and their cost in tokens',
    labelNames: ['unit'],
    registers: [registry],
    collect: async () => {
      const look = await throughput.look().catch(() => null); // Redis is unavailable: no value
      waiting.reset();
      if (look === null) return;
      waiting.set({ unit: 'jobs' }, look.waiting.count);
      waiting.set({ unit: 'tokens' }, look.waiting.total);
    },
  });
}
