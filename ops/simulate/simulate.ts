import { Clock } from './clock.ts';
import { DecodeStation, type DecodeLimits } from './decode-station.ts';
import { EncodeStation } from './encode-station.ts';
import { takeOff, type Flight } from './flight.ts';
import { Scaler, type ScalerSettings } from './scaler.ts';
import type { StageTimes } from './stage-times.ts';
import type { TraceRequest } from './trace.ts';

/** Workers of one kind: as many as there are at the start, and who changes that. */
interface Sizing {
  readonly start: number;
  readonly scaler?: ScalerSettings;
}

export type Strategy =
  | { readonly name: string; readonly whole: Sizing }
  | { readonly name: string; readonly encoders: Sizing; readonly decoders: Sizing };

export interface FleetSettings extends DecodeLimits {
  /** Visual tokens in one batch of an encoder. */
  readonly batchTokens: number;
  /** From a worker's order until it is of use: scheduling, image, model. */
  readonly startMs: number;
  /** How often the scaler looks. */
  readonly pollMs: number;
}

/** The fleet at one moment. `decoders` counts the workers of a monolith too. */
export interface Sample {
  readonly atMs: number;
  readonly encoders: number;
  readonly decoders: number;
  readonly waitingImages: number;
  readonly waitingRequests: number;
}

export interface Outcome {
  readonly strategy: string;
  readonly flights: readonly Flight[];
  readonly samples: readonly Sample[];
  readonly encoderMinutes: number;
  readonly decoderMinutes: number;
}

const SAMPLE_MS = 1_000;
const DOUBT_MS = 10_000;
/** Past the end of the trace, requests that are still not answered are left unanswered. */
const OVERTIME_MS = 600_000;

/**
 * Plays a trace against a fleet that is sized in one way. The same input gives the same outcome.
 * `hopeless` is polled and may end it early; requests unanswered by then never are.
 */
export function simulate(
  trace: readonly TraceRequest[],
  times: StageTimes,
  strategy: Strategy,
  settings: FleetSettings,
  hopeless: (flights: readonly Flight[], nowMs: number) => boolean = () => false,
): Outcome {
  const clock = new Clock();
  let open = trace.length;
  const encode = new EncodeStation(clock, times, settings.batchTokens, settings.startMs);
  const decode = new DecodeStation(clock, times, settings, settings.startMs, () => (open -= 1));
  const stations: Stations = { clock, times, encode, decode };
  const flights = trace.map(takeOff);
  const route = 'whole' in strategy ? alone : viaEncoders;
  for (const flight of flights) clock.at(flight.request.atMs, () => route(flight, stations));
  sizeAll(strategy, stations, settings.pollMs);
  const samples: Sample[] = [];
  every(clock, SAMPLE_MS, () => samples.push(sample(stations)));
  let lastMs = (trace.at(-1)?.atMs ?? 0) + OVERTIME_MS;
  every(clock, DOUBT_MS, () => {
    if (hopeless(flights, clock.nowMs)) lastMs = clock.nowMs;
  });
  clock.run(() => open > 0 && clock.nowMs < lastMs);
  return {
    strategy: strategy.name,
    flights,
    samples,
    encoderMinutes: encode.pool.paidMs() / 60_000,
    decoderMinutes: decode.pool.paidMs() / 60_000,
  };
}

interface Stations {
  readonly clock: Clock;
  readonly times: StageTimes;
  readonly encode: EncodeStation;
  readonly decode: DecodeStation;
}

/** Texts go straight to the decoders; others when the last of their embeddings is loaded. */
function viaEncoders(flight: Flight, { clock, times, encode, decode }: Stations): void {
  const { images, imageTokens } = flight.request;
  let missing = images.length;
  if (missing === 0) return decode.add(flight);
  const arrive = (): void => {
    missing -= 1;
    if (missing === 0) clock.after(times.loadMs, () => decode.add(flight));
  };
  for (const key of images) encode.want(key, imageTokens, arrive);
}

/** One worker does it all. */
function alone(flight: Flight, { decode }: Stations): void {
  flight.toEncode = flight.request.images;
  decode.add(flight);
}

function sample({ clock, encode, decode }: Stations): Sample {
  return {
    atMs: clock.nowMs,
    encoders: encode.pool.size,
    decoders: decode.pool.size,
    waitingImages: encode.waiting,
    waitingRequests: decode.waiting,
  };
}

function sizeAll(strategy: Strategy, { clock, encode, decode }: Stations, pollMs: number): void {
  const sequences = (): number => decode.sequences;
  if ('whole' in strategy) return size(clock, pollMs, decode.pool, strategy.whole, sequences);
  size(clock, pollMs, encode.pool, strategy.encoders, () => encode.waitingTokens);
  size(clock, pollMs, decode.pool, strategy.decoders, sequences);
}

function size(
  clock: Clock,
  pollMs: number,
  pool: { readonly size: number; resize(replicas: number, warm?: boolean): void },
  { start, scaler: settings }: Sizing,
  metric: () => number,
): void {
  pool.resize(start, true);
  if (settings === undefined) return;
  const scaler = new Scaler(settings);
  every(clock, pollMs, () => pool.resize(scaler.desired(clock.nowMs, metric(), pool.size)));
}

function every(clock: Clock, periodMs: number, act: () => void): void {
  const turn = (): void => {
    act();
    clock.after(periodMs, turn);
  };
  turn();
}
