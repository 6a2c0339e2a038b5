import type { Job } from '@epd/jobs';
import { recordSpan } from '@epd/service';
import type { EngineEvent } from '../engine/index.ts';

type Finished = Extract<EngineEvent, { type: 'finished' }>;
type Staged = Extract<EngineEvent, { type: 'stage' }>;

/** The spans of a job that the engine has answered: their times are only known now. */
export function traceFinished(job: Job, { timings }: Finished, endMs: number): void {
  const { totalMs = 0, queueMs = 0, ttftMs = totalMs } = timings;
  const parent = job.request.traceparent;
  const attributes = { 'job.id': job.id, 'worker.role': 'prefill-decode' };
  const takenMs = endMs - totalMs;
  const span = (name: string, startMs: number, until: number): void =>
    recordSpan(name, { parent, attributes, startMs, endMs: Math.max(startMs, until) });
  span('queue', job.createdAtMs, takenMs + queueMs);
  span('prefill', takenMs + queueMs, takenMs + ttftMs);
  span('decode', takenMs + ttftMs, endMs);
}

/** The load of one image embedding. */
export function traceLoaded(job: Job, { stage, detail }: Staged, endMs: number): void {
  const loadMs = detail?.['loadMs'];
  if (stage !== 'loaded' || typeof loadMs !== 'number') return;
  recordSpan('load', {
    parent: job.request.traceparent,
    attributes: { 'job.id': job.id, mm_hash: String(detail?.['mmHash']) },
    startMs: endMs - loadMs,
    endMs,
  });
}
