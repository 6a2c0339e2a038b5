import { Random } from './random.ts';
import type { TraceRequest } from './trace.ts';

/** Copies of a request are spread over this time, so that they do not arrive in step. */
const SPREAD_MS = 1000;

/**
 * The same trace with `times` as many requests at each time: whole copies, and a chosen share of one
 * more. Copies have images of their own, so repetition among the images stays as it was.
 */
export function multiplyLoad(
  trace: readonly TraceRequest[],
  times: number,
  seed = 1,
): readonly TraceRequest[] {
  if (times === 1) return trace;
  const random = new Random(seed);
  const copies = trace.flatMap((request) => {
    const count = Math.floor(times) + (random.next() < times % 1 ? 1 : 0);
    return Array.from({ length: count }, (_, copy) => ({
      ...request,
      atMs: request.atMs + (copy === 0 ? 0 : random.next() * SPREAD_MS),
      images: copy === 0 ? request.images : request.images.map((key) => `${key}.${copy}`),
    }));
  });
  return copies.toSorted((a, b) => a.atMs - b.atMs);
}
