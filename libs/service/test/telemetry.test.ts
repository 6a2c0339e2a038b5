import test from 'ava';
import { Counter, Registry } from 'prom-client';
import { serveTelemetry, type Readiness } from '@epd/service';

async function served(
  t: { teardown(cleanUp: () => Promise<void>): void },
  ready: () => Readiness | Promise<Readiness> = () => ({ ready: true }),
  registry = new Registry(),
) {
  const server = await serveTelemetry({ host: '127.0.0.1', port: 0, registry, ready });
  t.teardown(() => server.close());
  return server;
}

test('a living process is healthy whatever it waits for', async (t) => {
  const { url } = await served(t, () => ({ ready: false }));
  t.is((await fetch(`${url}/healthz`)).status, 200);
});

test('readiness is reported by status and body', async (t) => {
  let report: Readiness = { ready: false, redis: 'connecting' };
  const { url } = await served(t, () => report);
  const before = await fetch(`${url}/readyz`);
  t.is(before.status, 503);
  t.deepEqual(await before.json(), { ready: false, redis: 'connecting' });
  report = { ready: true, redis: 'up' };
  const after = await fetch(`${url}/readyz`);
  t.is(after.status, 200);
  t.deepEqual(await after.json(), { ready: true, redis: 'up' });
});

test('a readiness check that throws means not ready, and says why', async (t) => {
  const { url } = await served(t, () => Promise.reject(new Error('no model')));
  const response = await fetch(`${url}/readyz`);
  t.is(response.status, 503);
  t.deepEqual(await response.json(), { ready: false, error: 'no model' });
});

test("metrics hold the service's own and the process's", async (t) => {
  const registry = new Registry();
  new Counter({ name: 'epd_things_total', help: 'Things', registers: [registry] }).inc(3);
  const { url } = await served(t, undefined, registry);
  const text = await (await fetch(`${url}/metrics`)).text();
  t.regex(text, /^epd_things_total 3$/m);
  t.regex(text, /^process_resident_memory_bytes \d+/m);
});

test('one registry can be served twice', async (t) => {
  const registry = new Registry();
  const [first, second] = await Promise.all([
    served(t, undefined, registry),
    served(t, undefined, registry),
  ]);
  t.not(first.port, second.port);
});

test('a port that is taken is an error of the start', async (t) => {
  const { port } = await served(t);
  const again = serveTelemetry({
    host: '127.0.0.1',
    port,
    registry: new Registry(),
    ready: () => ({ ready: true }),
  });
  await t.throwsAsync(again, { code: 'EADDRINUSE' });
});

test('another path answers with what there is', async (t) => {
  const { url } = await served(t);
  t.is((await fetch(`${url}/else`)).status, 404);
});

test('a readiness check that does not come to an end means not ready, in time for the probe', async (t) => {
  const { url } = await served(t, () => new Promise<never>(() => {}));
  const response = await fetch(`${url}/readyz`);
  t.is(response.status, 503);
  t.like(await response.json(), { ready: false });
});
