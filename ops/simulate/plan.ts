import type { Flight } from './flight.ts';
import { simulate, type FleetSettings, type Strategy } from './simulate.ts';
import type { StageTimes } from './stage-times.ts';
import {
  isLate,
  lostShare,
  summarize,
  type Objective,
  type Prices,
  type Summary,
} from './statistics.ts';
import type { TraceRequest } from './trace.ts';

export interface PlanInput {
  readonly trace: readonly TraceRequest[];
  readonly times: StageTimes;
  readonly settings: FleetSettings;
  readonly objective: Objective;
  readonly prices: Prices;
  /** Share of requests that may miss the objective. */
  readonly lostMax: number;
  /** Workers of one kind that are tried at most. */
  readonly most: number;
}

export interface FixedFleet {
  /** 0 in a monolith. */
  readonly encoders: number;
  readonly decoders: number;
  readonly summary: Summary;
}

/** The cheapest fixed fleet of encoders and decoders that meets the objective, or null. */
export function planSplit(input: PlanInput): FixedFleet | null {
  const { prices } = input;
  const sizes = range(input.most).flatMap((encoders) =>
    range(input.most).map((decoders) => ({ encoders, decoders })),
  );
  const price = ({ encoders, decoders }: Size): number =>
    encoders * prices.encoder + decoders * prices.decoder;
  // One kind alone, with as many of the other as there may be, bounds the search from below.
  const { most } = input;
  const encodersAlone = range(most).map((encoders) => ({ encoders, decoders: most }));
  const decodersAlone = range(most).map((decoders) => ({ encoders: most, decoders }));
  const leastEncoders = firstThatMeets(input, encodersAlone)?.encoders ?? Infinity;
  const leastDecoders = firstThatMeets(input, decodersAlone)?.decoders ?? Infinity;
  const candidates = sizes
    .filter((size) => size.encoders >= leastEncoders && size.decoders >= leastDecoders)
    .toSorted((a, b) => price(a) - price(b));
  return firstThatMeets(input, candidates);
}

/** The smallest monolith that meets the objective, or null. */
export function planWhole(input: PlanInput): FixedFleet | null {
  return firstThatMeets(
    input,
    range(input.most).map((decoders) => ({ encoders: 0, decoders })),
  );
}

export function fixedStrategy(name: string, encoders: number, decoders: number): Strategy {
  return encoders === 0
    ? { name, whole: { start: decoders } }
    : { name, encoders: { start: encoders }, decoders: { start: decoders } };
}

type Size = Pick<FixedFleet, 'encoders' | 'decoders'>;

function firstThatMeets(input: PlanInput, sizes: readonly Size[]): FixedFleet | null {
  const { trace, times, settings, objective, prices, lostMax } = input;
  const allowed = lostMax * trace.length;
  const hopeless = (flights: readonly Flight[], nowMs: number): boolean =>
    flights.filter((flight) => isLate(flight, objective, nowMs)).length > allowed;
  for (const { encoders, decoders } of sizes) {
    const strategy = fixedStrategy('fixed', encoders, decoders);
    const outcome = simulate(trace, times, strategy, settings, hopeless);
    const summary = summarize(outcome, objective, prices);
    if (lostShare(summary) <= lostMax) return { encoders, decoders, summary };
  }
  return null;
}

function range(most: number): number[] {
  return Array.from({ length: most }, (_, index) => index + 1);
}
