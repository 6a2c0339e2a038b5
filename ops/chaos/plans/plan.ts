import { Random } from '../../simulate/random.ts';
import { goldenCases, LONG_CASES } from './golden.ts';

const JOB_KINDS = [
  'text',
  'image',
  'images',
  'repeated',
  'unique',
  'long',
  'streamed',
  'cancelled',
  'broken',
  'deadline',
] as const;
export type JobKind = (typeof JOB_KINDS)[number];

const FAULT_KINDS = [
  'kill',
  'pause',
  's3',
  'redis-link',
  'lost-events',
  'tamper',
  'disk-tier',
  'clock',
  'rolling-restart',
  'scripts-flushed',
  'redis-emptied',
  'key-evicted',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface PlannedJob {
  readonly number: number;
  readonly kind: JobKind;
  /** Index of the golden question. */
  readonly case: number;
  /** Makes the pictures' files unlike any other's; null: as they are. */
  readonly nonce: number | null;
  /** Milliseconds after the step began. */
  readonly offsetMs: number;
  /** A number for what the kind leaves open: which replica, when to cancel, when to reconnect. */
  readonly roll: number;
}

export interface PlannedFault {
  readonly number: number;
  readonly kind: FaultKind;
  readonly offsetMs: number;
  readonly forMs: number;
  /** Decides target and manner, of those that the kind knows. */
  readonly roll: number;
  /** Whether the next fault waits until every process is ready again; else it comes on top. */
  readonly settle: boolean;
}

/** One fault and the jobs that are sent around it. */
export interface Step {
  readonly jobs: readonly PlannedJob[];
  readonly fault: PlannedFault;
}

/** Kinds that are answered beyond their end: something happens while they are. */
export const isLong = (kind: JobKind): boolean =>
  kind === 'long' || kind === 'streamed' || kind === 'cancelled';

/** Long answers are what faults find in the middle. */
const LONG_WEIGHT = 3;

const FAULT_WEIGHTS: Readonly<Record<FaultKind, number>> = {
  kill: 8,
  pause: 4,
  s3: 3,
  'redis-link': 4,
  'lost-events': 2,
  tamper: 3,
  'disk-tier': 1,
  clock: 1,
  'rolling-restart': 1,
  'scripts-flushed': 1,
  'redis-emptied': 1,
  'key-evicted': 4,
};

const WEIGHTED_JOBS: readonly JobKind[] = JOB_KINDS.flatMap((kind) =>
  Array.from({ length: isLong(kind) ? LONG_WEIGHT : 1 }, () => kind),
);

/** Jobs and faults in order: a pure function of the arguments. */
export function makePlan(options: {
  readonly seed: number;
  readonly faults: number;
  readonly jobsPerFault: number;
  /** Only questions without pictures, which are the first sent to a fresh fleet. */
  readonly textOnly?: boolean;
}): Step[] {
  const random = new Random(options.seed);
  const kinds = faultKinds(random, options.faults);
  return kinds.map((kind, step) => ({
    jobs: Array.from({ length: options.jobsPerFault }, (_, index) =>
      planJob(random, step * options.jobsPerFault + index, options.textOnly ?? false),
    ),
    fault: {
      number: step,
      kind,
      offsetMs: random.integer(200, 1_000),
      forMs: random.integer(500, 4_000),
      roll: random.integer(0, 1_000_000),
      settle: random.next() < 0.7,
    },
  }));
}

/** By weight, but every kind occurs once before any is repeated, as far as there is room. */
function faultKinds(random: Random, count: number): FaultKind[] {
  const weighted = FAULT_KINDS.flatMap((kind) =>
    Array.from({ length: FAULT_WEIGHTS[kind] }, () => kind),
  );
  const first = shuffled(random, FAULT_KINDS).slice(0, count);
  const rest = Array.from({ length: count - first.length }, () => pick(random, weighted));
  return shuffled(random, [...first, ...rest]);
}

function planJob(random: Random, number: number, textOnly: boolean): PlannedJob {
  const kind = textOnly ? 'text' : pick(random, WEIGHTED_JOBS);
  return {
    number,
    kind,
    case: pick(random, casesFor(kind)),
    nonce: NEW_FILES.has(kind) ? random.integer(1, 0x7fff_ffff) : null,
    offsetMs: random.integer(0, 800),
    roll: random.integer(0, 1_000_000),
  };
}

/** A broken file must be new, or a sound one of the same name would be remembered for it. */
const NEW_FILES: ReadonlySet<JobKind> = new Set(['unique', 'broken', 'cancelled']);

function casesFor(kind: JobKind): readonly number[] {
  if (isLong(kind)) return LONG_CASES;
  const images = goldenCases.map((golden) => golden.images.length);
  const indices = goldenCases.map((_, index) => index);
  if (kind === 'text') return indices.filter((index) => images[index] === 0);
  if (kind === 'images') return indices.filter((index) => (images[index] ?? 0) > 1);
  // A few questions over and over, which is what repeats their pictures.
  if (kind === 'repeated') return indices.filter((index) => images[index] === 1).slice(0, 4);
  return indices.filter((index) => images[index] === 1);
}

function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[random.integer(0, items.length - 1)];
  if (item === undefined) throw new RangeError('Nothing to pick from');
  return item;
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: random.next() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
