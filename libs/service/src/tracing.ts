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

type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** The `traceparent` that came with the request or the message; without it a trace begins. */
  readonly parent?: string | undefined;
  /** Ids and sizes. Never a prompt, an answer or an image. */
  readonly attributes?: SpanAttributes;
  /** Milliseconds since the epoch; now unless given. */
  readonly startMs?: number;
}

export interface Span {
  /** What the messages carry on, in the form of W3C; undefined while nothing is traced. */
  readonly traceparent: string | undefined;
  set(attributes: SpanAttributes): void;
  /** Ends it, at `endMs` or now. With an error the span is marked as failed. */
  end(options?: { readonly endMs?: number; readonly error?: unknown }): void;
}

/** What makes spans while there is a collector. */
export interface Tracer {
  start(name: string, options: SpanOptions): Span;
  stop(): Promise<void>;
}

let tracer: Tracer | null = null;

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
  const { startTracer } = await import('./otlp-tracer.ts');
  const started = startTracer(service, otlpEndpoint, traceRatio);
  tracer = started;
  return {
    stop: () => {
      tracer = null;
      return started.stop();
    },
  };
}

/** Begins a span that the caller ends. */
export function startSpan(name: string, options: SpanOptions = {}): Span {
  if (tracer !== null) return tracer.start(name, options);
  return { traceparent: wellFormed(options.parent), set: () => {}, end: () => {} };
}

/** A span of something whose times are known only when it is over: a wait, a step of a batch. */
export function recordSpan(
  name: string,
  { endMs, error, ...options }: SpanOptions & { readonly endMs: number; readonly error?: unknown },
): void {
  startSpan(name, options).end({ endMs, ...(error === undefined ? {} : { error }) });
}

const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** A parent that is not well formed is no parent: a caller's header breaks nothing. */
const wellFormed = (parent: string | undefined): string | undefined =>
  parent !== undefined && TRACEPARENT.test(parent) ? parent : undefined;
