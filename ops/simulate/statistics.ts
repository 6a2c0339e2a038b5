import type { Flight } from './flight.ts';
import type { Outcome } from './simulate.ts';

/** What a request may take. */
export interface Objective {
  readonly ttftMs: number;
  readonly tpotMs: number;
}

export interface Summary {
  readonly strategy: string;
  readonly textTtftMs: Quantiles;
  readonly imageTtftMs: Quantiles;
  readonly tpotMs: Quantiles;
  /** Requests that missed the objective, or were not answered at all. */
  readonly lostText: number;
  readonly lostImage: number;
  readonly requests: number;
  readonly encoderMinutes: number;
  readonly decoderMinutes: number;
  /** Worker-minutes by their price. */
  readonly cost: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What a minute of a worker costs; the unit is the caller's. */
export interface Prices {
  readonly encoder: number;
  readonly decoder: number;
}

export function summarize(outcome: Outcome, objective: Objective, prices: Prices): Summary {
  const text = outcome.flights.filter(({ request }) => request.images.length === 0);
  const image = outcome.flights.filter(({ request }) => request.images.length > 0);
  const lost = (flights: readonly Flight[]): number =>
    flights.filter((flight) => !met(flight, objective)).length;
  return {
    strategy: outcome.strategy,
    textTtftMs: quantiles(text.map(ttftMs)),
    imageTtftMs: quantiles(image.map(ttftMs)),
    tpotMs: quantiles(
      outcome.flights.filter(({ request }) => request.outputTokens > 1).map(tpotMs),
    ),
    lostText: lost(text),
    lostImage: lost(image),
    requests: outcome.flights.length,
    encoderMinutes: outcome.encoderMinutes,
    decoderMinutes: outcome.decoderMinutes,
    cost: outcome.encoderMinutes * prices.encoder + outcome.decoderMinutes * prices.decoder,
  };
}

export function lostShare({ lostText, lostImage, requests }: Summary): number {
  return requests === 0 ? 0 : (lostText + lostImage) / requests;
}

/** Whether its first token has come too late already, or cannot come in time any more. */
export function isLate(
  { firstTokenMs, request }: Flight,
  { ttftMs: most }: Objective,
  nowMs: number,
): boolean {
  return (Number.isNaN(firstTokenMs) ? nowMs : firstTokenMs) - request.atMs > most;
}

/** A request that was never answered waits without an end. */
function ttftMs({ firstTokenMs, request }: Flight): number {
  return Number.isNaN(firstTokenMs) ? Infinity : firstTokenMs - request.atMs;
}

function tpotMs({ firstTokenMs, doneMs, request }: Flight): number {
  return Number.isNaN(doneMs) ? Infinity : (doneMs - firstTokenMs) / (request.outputTokens - 1);
}

function met(flight: Flight, objective: Objective): boolean {
  const paced = flight.request.outputTokens === 1 || tpotMs(flight) <= objective.tpotMs;
  return !Number.isNaN(flight.doneMs) && ttftMs(flight) <= objective.ttftMs && paced;
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
