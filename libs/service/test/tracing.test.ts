import { recordSpan, startSpan, startTracing } from '@epd/service';
import { freePort, otlpCollector } from '@epd/service/testing';
import test from 'ava';

// The provider is the process's: one test after another.
test.serial('spans of two processes that pass the traceparent on are one trace', async (t) => {
  const { url, spans, paths, bodies } = await otlpCollector(t);
  const tracing = await startTracing('api', { otlpEndpoint: `${url}/`, traceRatio: 1 });
  const accept = startSpan('POST /v1/jobs', { attributes: { 'epd.job': 'j1' } });
  const message = { traceparent: accept.traceparent };
  accept.end();
  recordSpan('encode', { parent: message.traceparent, startMs: 1.8e12, endMs: 1.8e12 + 250.5 });
  await tracing.stop();
  t.true(paths.every((path) => path === '/v1/traces'));
  const [first, second] = ['POST /v1/jobs', 'encode'].map((name) =>
    spans().find((span) => span.name === name),
  );
  t.is(second!.traceId, first!.traceId);
  t.is(second!.parentSpanId, first!.spanId);
  t.is(second!.startTimeUnixNano, '1800000000000000000');
  t.is(second!.endTimeUnixNano, '1800000000250500000');
  t.deepEqual(
    first!.attributes.map(({ key }) => key),
    ['epd.job'],
  );
  const { attributes } = bodies[0]!.resourceSpans[0]!.resource;
  t.deepEqual(attributes.find(({ key }) => key === 'service.name')?.value, {
    stringValue: 'epd-api',
  });
});

test.serial("a caller's trace is joined, and its decision not to trace is kept", async (t) => {
  const { url, spans } = await otlpCollector(t);
  const tracing = await startTracing('api', { otlpEndpoint: url, traceRatio: 1 });
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  startSpan('kept', { parent: `00-${traceId}-b7ad6b7169203331-01` }).end();
  const dropped = startSpan('dropped', { parent: `00-${traceId}-b7ad6b7169203331-00` });
  dropped.end();
  startSpan('of its own', { parent: 'no such thing' }).end();
  await tracing.stop();
  t.regex(dropped.traceparent!, new RegExp(`^00-${traceId}-.*-00$`));
  t.deepEqual(
    spans()
      .map(({ name }) => name)
      .toSorted(),
    ['kept', 'of its own'],
  );
  t.is(spans().find(({ name }) => name === 'kept')!.traceId, traceId);
});

test.serial('a failure is marked by its code and not by its message', async (t) => {
  const { url, spans } = await otlpCollector(t);
  const tracing = await startTracing('encoder', { otlpEndpoint: url, traceRatio: 1 });
  const error = Object.assign(new Error('cannot read the cat of Mr Smith'), { code: 'bad_image' });
  startSpan('encode').end({ error });
  await tracing.stop();
  t.like(spans()[0]!.status, { code: 2, message: 'bad_image' });
  t.false(JSON.stringify(spans()).includes('Smith'));
});

test.serial('without an endpoint spans are nothing, and hand the context on', async (t) => {
  const tracing = await startTracing('api', { traceRatio: 1 });
  const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  t.is(startSpan('a').traceparent, undefined);
  t.is(startSpan('b', { parent }).traceparent, parent);
  await t.notThrowsAsync(tracing.stop());
});

test.serial('a share of none traces nothing', async (t) => {
  const { url, spans } = await otlpCollector(t);
  const tracing = await startTracing('api', { otlpEndpoint: url, traceRatio: 0 });
  startSpan('a').end();
  await tracing.stop();
  t.deepEqual(spans(), []);
});

test.serial('a collector that is down disturbs nobody', async (t) => {
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const tracing = await startTracing('api', { otlpEndpoint: endpoint, traceRatio: 1 });
  startSpan('a').end();
  await t.notThrowsAsync(tracing.stop());
});
