import type { TraceRequest } from './trace.ts';

/** A request on its way through the simulated fleet. */
export interface Flight {
  readonly request: TraceRequest;
  /** Images that its worker has still to encode itself; only in a monolith. */
  toEncode: readonly string[];
  prefillLeft: number;
  outputLeft: number;
  /** When it could be prefilled: its embeddings were there. */
  readyMs: number;
  admittedMs: number;
  firstTokenMs: number;
  doneMs: number;
}

export function takeOff(request: TraceRequest): Flight {
  return {
    request,
    toEncode: [],
    prefillLeft: request.promptTokens + request.images.length * request.imageTokens,
    outputLeft: request.outputTokens,
    readyMs: Number.NaN,
    admittedMs: Number.NaN,
    firstTokenMs: Number.NaN,
    doneMs: Number.NaN,
  };
}
