import type { JobRecord } from '../fleet/fleet-client.ts';

/** The stages of one request's way to its first token, in their order; those of its image overlap with `queue`. */
export const STAGES = [
  'accept',
  'queue',
  'image: queue',
  'image: preprocess',
  'image: encode',
  'image: save',
  'image: load',
  'wait for embeddings',
  'prefill',
  'the rest',
] as const;
type Stage = (typeof STAGES)[number];

/** Milliseconds; null: the request did not pass the stage. */
export type StageTimes = Readonly<Record<Stage, number | null>>;

/**
 * Where the time to the first token went, as the job's record tells it. What the record does not tell is the
 * rest: HTTP on the way in, and the first token's way through the stream to its reader.
 */
export function requestStages(record: Pick<JobRecord, 'timings'>, ttftMs: number): StageTimes {
  const { timings } = record;
  const [image] = (timings['images'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  const accept = msOf(timings, 'accept_ms');
  return {
    accept,
    queue: msOf(timings, 'queue_ms'),
    'image: queue': msOf(image, 'queue_ms'),
    'image: preprocess': msOf(image, 'preprocess_ms'),
    'image: encode': msOf(image, 'encode_ms'),
    'image: save': msOf(image, 'save_ms'),
    'image: load': msOf(image, 'load_ms'),
    'wait for embeddings': msOf(timings, 'wait_for_embeddings_ms'),
    prefill: msOf(timings, 'prefill_ms'),
    'the rest': ttftMs - (accept ?? 0) - (msOf(timings, 'ttft_ms') ?? 0),
  };
}

function msOf(fields: Readonly<Record<string, unknown>> | undefined, name: string): number | null {
  const ms = fields?.[name];
  return typeof ms === 'number' ? ms : null;
}
