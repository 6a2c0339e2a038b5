import { Type, type Static, type TObject } from 'typebox';

/** The settings of tracing, for a service's schema to spread. */
export const tracingConfig = {
  otlpEndpoint: Type.Optional(
    Type.String({
      env: 'EPD_OTLP_ENDPOINT',
      pattern: '^https?://',
      expects: 'a URL like http://collector:4318',
      description: 'OpenTelemetry collector for traces, as OTLP over HTTP; without it, no traces',
    }),
  ),
  traceRatio: Type.Number({
    env: 'EPD_TRACE_RATIO',
    default: 1,
    minimum: 0,
    maximum: 1,
    description: 'Share of requests that are traced, unless the caller has already decided',
  }),
};
export type TracingConfig = Static<TObject<typeof tracingConfig>>;

type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** The `traceparent` of the request or the message; without it a new trace starts. */
  readonly parent?: string | undefined;
  /** Ids and sizes. Never a prompt, an answer or an image. */
  readonly attributes?: SpanAttributes;
  /** Milliseconds since the epoch; now unless given. */
  readonly startMs?: number;
}

export interface Span {
  /** The context for messages, in W3C form; undefined while nothing is traced. */
  readonly traceparent: string | undefined;
  set(attributes: SpanAttributes): void;
  /** Ends it, at `endMs` or now. With an error the span is marked as failed. */
  end(options?: { readonly endMs?: number; readonly error?: unknown }): void;
}

/** Creates spans while there is a collector. */
export interface Tracer {
  start(name: string, options: SpanOptions): Span;
  stop(): Promise<void>;
}

let tracer: Tracer | null = null;

/**
 * Sends spans to the collector from now on. Without an endpoint nothing is loaded and no spans are
 * created: they cost next to nothing and pass on their parent's context. An unreachable collector
 * loses spans without other effects. `stop` sends the remaining spans.
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

/** Starts a span that the caller ends. */
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

/** Ignores a malformed parent, so that a caller's header breaks nothing. */
const wellFormed = (parent: string | undefined): string | undefined =>
  parent !== undefined && TRACEPARENT.test(parent) ? parent : undefined;
