import {
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Context,
  type Span as OtelSpan,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TracerProvider,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';
import type { Span, Tracer } from './tracing.ts';

const TRACER = '@epd/service';
const FLUSH_MS = 1_000;
/** Export timeout including retries. Short, because a stop waits for exports in progress. */
const SEND_MS_MAX = 2_000;

/** Loads OpenTelemetry, which takes half a second: import this only where spans are needed. */
export function startTracer(service: string, endpoint: string, ratio: number): Tracer {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: SEND_MS_MAX,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `epd-${service}` }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: FLUSH_MS })],
  });
  const tracer = provider.getTracer(TRACER);
  return {
    start: (name, { parent, attributes, startMs }) => {
      const options = {
        ...(attributes === undefined ? {} : { attributes }),
        ...(startMs === undefined ? {} : { startTime: startMs }),
      };
      return spanOf(tracer.startSpan(name, options, contextOf(parent)));
    },
    // A failed export must not fail the stop.
    stop: () => provider.shutdown().catch(() => undefined),
  };
}

const spanOf = (span: OtelSpan): Span => ({
  traceparent: traceparentOf(span),
  set: (attributes) => void span.setAttributes(attributes),
  end: ({ endMs, error } = {}) => {
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: code(error) });
    span.end(endMs);
  },
});

/** Ignores a malformed parent, so that a caller's header breaks nothing. */
function contextOf(parent: string | undefined): Context {
  const remote = parent === undefined ? null : parseTraceParent(parent);
  if (remote === null) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
}

function traceparentOf(span: OtelSpan): string | undefined {
  const context = span.spanContext();
  if (!trace.isSpanContextValid(context)) return undefined;
  const flags = context.traceFlags.toString(16).padStart(2, '0');
  return `00-${context.traceId}-${context.spanId}-${flags}`;
}

/** Messages of errors may quote what a user wrote; codes and names do not. */
function code(error: unknown): string {
  if (!(error instanceof Error)) return 'error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
