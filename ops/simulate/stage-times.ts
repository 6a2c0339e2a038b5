import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';

const Milliseconds = Type.Number({ minimum: 0 });

/** What the work of each stage takes on one worker, and how that was measured. */
export const StageTimes = Type.Object(
  {
    model: Type.String(),
    hardware: Type.String(),
    /** The command that measured it, to be run again on other hardware. */
    measuredBy: Type.String({ minLength: 1 }),
    measuredAt: Type.String(),
    /** One forward pass of the vision encoder by the number of images in it. */
    encodeMs: Type.Array(Type.Object({ batch: Type.Integer({ minimum: 1 }), ms: Milliseconds }), {
      minItems: 1,
    }),
    /** Decoding and resizing of one image, in the encoder's other threads. */
    preprocessMs: Milliseconds,
    saveMs: Milliseconds,
    loadMs: Milliseconds,
    /** One step of the decoder: the sum of its parts. */
    step: Type.Object({
      baseMs: Milliseconds,
      perRowMs: Milliseconds,
      perPrefillTokenMs: Milliseconds,
    }),
  },
  { additionalProperties: false },
);
export type StageTimes = Static<typeof StageTimes>;

/** Throws an Error that says which part of the document is wrong. */
export function parseStageTimes(json: string): StageTimes {
  const document: unknown = JSON.parse(json);
  if (Value.Check(StageTimes, document)) return document;
  const [problem] = Value.Errors(StageTimes, document);
  throw new Error(`Not stage times: ${problem?.instancePath ?? ''} ${problem?.message ?? ''}`);
}

/** Between two measured batches on the line through them, past the last on the line through it. */
export function encodeMs({ encodeMs: measured }: StageTimes, batch: number): number {
  const points = measured.toSorted((a, b) => a.batch - b.batch);
  const above = points.findIndex((point) => point.batch >= batch);
  const high = points[above === -1 ? points.length - 1 : above]!;
  const low = points[(above === -1 ? points.length - 1 : above) - 1];
  if (high.batch === batch) return high.ms;
  if (low === undefined) return (high.ms * batch) / high.batch;
  const slope = (high.ms - low.ms) / (high.batch - low.batch);
  return Math.max(0, low.ms + slope * (batch - low.batch));
}

export function stepMs({ step }: StageTimes, rows: number, prefillTokens: number): number {
  return step.baseMs + step.perRowMs * rows + step.perPrefillTokenMs * prefillTokens;
}
