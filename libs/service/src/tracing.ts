import {
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span as OtelSpan,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import { Type, type Static, type TObject } from 'typebox';

/** The settings of tracing, for a service's schema to spread. */
export const tracingConfig = {
  otlpEndpoint: Type.Optional(
    Type.String({
      env: 'EPD_OTLP_ENDPOINT',
      pattern: '^https?://',
      expects: 'a URL like http://collector:4318',
      description: 'OpenTelemetry collector that gets traces, as OTLP over HTTP; without it, none',
    }),
  ),
  traceRatio: Type.Number({
    env: 'EPD_TRACE_RATIO',
    default: 1,
    minimum: 0,
    maximum: 1,
    description: 'Share of requests that are traced, unless the caller has decided already',
  }),
};
export type TracingConfig = Static<TObject<typeof tracingConfig>>;

export interface SpanOptions {
  /** The `traceparent` that came with the request or the message; without it a trace begins. */
  readonly parent?: string | undefined;
  /** Ids and sizes. Never a prompt, an answer or an image. */
  readonly attributes?: Attributes;
  /** Milliseconds since the epoch; now unless given. */
  readonly startMs?: number;
}

export interface Span {
  /** What the messages carry on, in the form of W3C; undefined while nothing is traced. */
  readonly traceparent: string | undefined;
  set(attributes: Attributes): void;
  /** Ends it, at `endMs` or now. With an error the span is marked as failed. */
  end(options?: { readonly endMs?: number; readonly error?: unknown }): void;
}

const TRACER = '@epd/service';
const FLUSH_MS = 1_000;
/** With its retries. Short, because a stop waits for what is under way. */
const SEND_MS_MAX = 2_000;

/**
 * Sends spans to the collector from now on. Without an endpoint nothing is loaded and nothing is
 * made: spans cost next to nothing and hand their parent's context on. A collector that is away
 * loses spans and disturbs nobody. `stop` sends what is left.
 */
export async function startTracing(
  service: string,
  { otlpEndpoint, traceRatio }: TracingConfig,
): Promise<{ stop(): Promise<void> }> {
  if (otlpEndpoint === undefined) return { stop: async () => {} };
  const [sdk, { OTLPTraceExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const exporter = new OTLPTraceExporter({
    url: `${otlpEndpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: SEND_MS_MAX,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `epd-${service}` }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(traceRatio) }),
    spanProcessors: [new sdk.BatchSpanProcessor({ exporter, scheduledDelayMillis: FLUSH_MS })],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      trace.disable();
      await provider.shutdown().catch(() => undefined); // spans are not worth a failed stop
    },
  };
}

/** Begins a span that the caller ends. */
export function startSpan(name: string, { parent, attributes, startMs }: SpanOptions = {}): Span {
  const options = {
    ...(attributes === undefined ? {} : { attributes }),
    ...(startMs === undefined ? {} : { startTime: startMs }),
  };
  const span = trace.getTracer(TRACER).startSpan(name, options, contextOf(parent));
  return {
    traceparent: traceparentOf(span),
    set: (more) => void span.setAttributes(more),
    end: ({ endMs, error } = {}) => {
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: code(error) });
      span.end(endMs);
    },
  };
}

/** A span of something whose times are known only when it is over: a wait, a step of a batch. */
export function recordSpan(
  name: string,
  { endMs, error, ...options }: SpanOptions & { readonly endMs: number; readonly error?: unknown },
): void {
  startSpan(name, options).end({ endMs, ...(error === undefined ? {} : { error }) });
}

/** A parent that is not well formed is no parent: a caller's header breaks nothing. */
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
