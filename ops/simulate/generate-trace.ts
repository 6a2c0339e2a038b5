import { Random } from './random.ts';
import type { TraceRequest } from './trace.ts';

export interface TraceShape {
  readonly seed: number;
  readonly seconds: number;
  /** Requests a second with text alone. */
  readonly textRate: number;
  /** Requests with images a second, between bursts and in them. */
  readonly imageRate: number;
  readonly burstRate: number;
  readonly burstSeconds: number;
  /** From the start of one burst to the start of the next. */
  readonly burstEverySeconds: number;
  /** Share of images that were seen a short while ago. */
  readonly repeated: number;
  readonly imageTokens: number;
}

/** A steady stream of text with now and then a flood of pictures: what the split is made for. */
export const imageBursts: TraceShape = {
  seed: 7,
  seconds: 600,
  textRate: 1.5,
  imageRate: 0.2,
  burstRate: 5,
  burstSeconds: 30,
  burstEverySeconds: 150,
  repeated: 0.2,
  imageTokens: 64,
};

/** So many of the last images are candidates for being sent again. */
const REMEMBERED = 50;

export function generateTrace(shape: TraceShape): TraceRequest[] {
  const random = new Random(shape.seed);
  const requests = [...texts(shape, random), ...withImages(shape, random)];
  return requests.toSorted((a, b) => a.atMs - b.atMs);
}

function texts({ seconds, textRate, imageTokens }: TraceShape, random: Random): TraceRequest[] {
  return arrivals(seconds, () => textRate, random).map((atMs) => ({
    atMs,
    images: [],
    imageTokens,
    promptTokens: random.integer(20, 200),
    outputTokens: random.integer(16, 96),
  }));
}

function withImages(shape: TraceShape, random: Random): TraceRequest[] {
  const keys: string[] = [];
  const imageKey = (): string => {
    const seen = keys.length > 0 && random.next() < shape.repeated;
    if (seen) return keys[random.integer(Math.max(0, keys.length - REMEMBERED), keys.length - 1)]!;
    return keys[keys.push(`i${keys.length}`) - 1]!;
  };
  const rate = (second: number): number =>
    inBurst(shape, second) ? shape.burstRate : shape.imageRate;
  return arrivals(shape.seconds, rate, random).map((atMs) => ({
    atMs,
    images: [...new Set(Array.from({ length: random.integer(1, 3) }, imageKey))],
    imageTokens: shape.imageTokens,
    promptTokens: random.integer(10, 60),
    outputTokens: random.integer(8, 48),
  }));
}

function inBurst({ burstEverySeconds, burstSeconds }: TraceShape, second: number): boolean {
  const since = second - burstEverySeconds / 2;
  return since >= 0 && since % burstEverySeconds < burstSeconds;
}

/** Whole milliseconds, so that the written trace equals the simulated one. */
function arrivals(seconds: number, rate: (second: number) => number, random: Random): number[] {
  const times: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const gapMs = 1000 / rate(second);
    for (let ms = random.exponential(gapMs); ms < 1000; ms += random.exponential(gapMs)) {
      times.push(Math.floor(second * 1000 + ms));
    }
  }
  return times;
}
