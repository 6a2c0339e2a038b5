import type { FleetClient } from '../fleet/fleet-client.ts';
import { textOnly } from '../load/workloads.ts';
import { summarize, type Summary } from '../percentiles.ts';

const TOKENS = 16;

export interface AddedLatency {
  /** From the submission to the last event, as the client sees it. */
  readonly totalMs: Summary;
  /** What the engine itself was busy with the answer: prefill and every further token. */
  readonly engineMs: Summary;
  /** The difference: HTTP, records, queue, events. */
  readonly addedMs: Summary;
}

/** One text answer at a time: what the fleet around the engine costs. */
export async function addedLatency(client: FleetClient, count: number): Promise<AddedLatency> {
  const [total, engine]: [number[], number[]] = [[], []];
  for (const question of textOnly(count, 7, TOKENS)) {
    const { id, answer } = await client.askJob(question);
    const { timings } = await client.record(id);
    const [prefill, tpot] = [milliseconds(timings['prefill_ms']), milliseconds(timings['tpot_ms'])];
    total.push(answer.endedMs - answer.submittedMs);
    engine.push(prefill + tpot * (answer.tokenIds.length - 1));
  }
  return {
    totalMs: summarize(total),
    engineMs: summarize(engine),
    addedMs: summarize(total.map((ms, i) => ms - (engine[i] ?? 0))),
  };
}

function milliseconds(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TypeError(`Expected milliseconds in the job's timings, got ${String(value)}`);
}
