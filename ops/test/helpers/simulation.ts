import type { FleetSettings } from '../../simulate/simulate.ts';
import type { StageTimes } from '../../simulate/stage-times.ts';
import type { TraceRequest } from '../../simulate/trace.ts';

/** Round numbers, so that what must come out can be said beforehand. */
export const times: StageTimes = {
  model: 'round',
  hardware: 'paper',
  measuredBy: 'nobody',
  measuredAt: '2026-01-01',
  encodeMs: [
    { batch: 1, ms: 100 },
    { batch: 5, ms: 300 },
  ],
  preprocessMs: 10,
  saveMs: 5,
  loadMs: 3,
  step: { baseMs: 10, perRowMs: 1, perPrefillTokenMs: 0.5 },
};

export const settings: FleetSettings = {
  slots: 4,
  chunkTokens: 100,
  encodeBatch: 4,
  batchTokens: 256,
  startMs: 30_000,
  pollMs: 15_000,
};

export function request(change: Partial<TraceRequest> = {}): TraceRequest {
  return { atMs: 0, images: [], imageTokens: 64, promptTokens: 20, outputTokens: 3, ...change };
}
