import type { EncodeTimings } from '@epd/connector';
import { recordSpan } from '@epd/service';

/** The stages of one encode as spans, one after the other, the last ending at `endMs`. */
export function traceStages(
  parent: string | undefined,
  timings: EncodeTimings,
  endMs: number,
): void {
  const stages = [
    ['save', timings.saveMs],
    ['encode', timings.encodeMs],
    ['preprocess', timings.preprocessMs],
    ['wait for an encoder', timings.queueMs],
  ] as const;
  let until = endMs;
  for (const [name, ms] of stages) {
    recordSpan(name, { parent, startMs: until - ms, endMs: until });
    until -= ms;
  }
}
