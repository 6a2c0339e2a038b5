import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import { portOf } from './port-of.ts';

/** Whether a process can work, and the state of its dependencies. */
export interface Readiness {
  readonly ready: boolean;
  readonly [detail: string]: unknown;
}

export interface TelemetryServer {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` (the process is alive), `/readyz` (200 or 503 with the report) and `/metrics`.
 * Adds the process's default metrics to the registry, once. Port 0: any free one.
 */
export async function serveTelemetry(options: {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly ready: () => Readiness | Promise<Readiness>;
}): Promise<TelemetryServer> {
  const { host, port, registry, ready } = options;
  addDefaultMetrics(registry);
  const server = createServer((request, response) => {
    answer(request.url ?? '/', response, registry, ready).catch((error: unknown) => {
      sendJson(response, 500, { error: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = portOf(server);
  return {
    port: bound,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Probes arrive every few seconds and wait no longer; a slower report counts as not ready. */
const READY_WITHIN_MS = 2_500;

/** A failed or slow report counts as not ready. */
export async function readiness(
  ready: () => Readiness | Promise<Readiness>,
  withinMs = READY_WITHIN_MS,
): Promise<Readiness> {
  const late = new AbortController();
  const report = Promise.try(ready).catch((error: unknown) => ({
    ready: false,
    error: error instanceof Error ? error.message : String(error),
  }));
  const silence = sleep(withinMs, undefined, { signal: late.signal }).then(
    () => ({ ready: false, error: `a dependency did not respond within ${withinMs} ms` }),
    () => ({ ready: false }),
  );
  try {
    return await Promise.race([report, silence]);
  } finally {
    late.abort();
  }
}

/** Memory, CPU, event loop and garbage collection of this process. Safe to call again. */
export function addDefaultMetrics(registry: Registry): void {
  if (!registry.getSingleMetric('process_cpu_user_seconds_total')) {
    collectDefaultMetrics({ register: registry });
  }
}

async function answer(
  url: string,
  response: ServerResponse,
  registry: Registry,
  ready: () => Readiness | Promise<Readiness>,
): Promise<void> {
  switch (url.replace(/\?.*$/, '')) {
    case '/healthz':
      return sendJson(response, 200, { status: 'ok' });
    case '/readyz': {
      const report = await readiness(ready);
      return sendJson(response, report.ready ? 200 : 503, report);
    }
    case '/metrics':
      response.writeHead(200, { 'content-type': registry.contentType });
      response.end(await registry.metrics());
      return undefined;
    default:
      return sendJson(response, 404, {
        error: 'Not found: this server has /healthz, /readyz and /metrics',
      });
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
