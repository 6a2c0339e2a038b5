import { modelNotes, type Harness } from './harness.ts';
import type { Findings } from './json.ts';
import { runLoad, type LoadResult, type LoadStats } from './load/run-load.ts';
import { firstShown, repeatedImages, textOnly, uniqueImages } from './load/workloads.ts';
import { median } from './percentiles.ts';
import type { Question, Target } from './question.ts';
import { table, type Cell } from './table.ts';

const CONCURRENCY = [1, 4, 16, 64] as const;
/** The concurrency whose ratios are reported, from several rounds. */
const RATIOS_AT = 16;
const TEXT_TOKENS = 100;

const WORKLOADS = ['unique', 'repeated', 'text'] as const;
type Workload = (typeof WORKLOADS)[number];

interface Sample {
  readonly workload: Workload;
  readonly concurrency: number;
  readonly round: number;
  readonly fleet: LoadStats;
  readonly peer: LoadStats;
  /** Requests per second, fleet over peer. */
  readonly ratio: number;
  /** Share of questions that both answered with the same tokens. */
  readonly sameAnswers: number;
}

/** Throughput and latency by load and concurrency, beside the peer, the two taking turns. */
export async function serve(harness: Harness): Promise<Findings> {
  const { client } = await harness.startFleet();
  const peer = await harness.startPeer();
  await warmUp(harness, [client, peer]);
  const samples: Sample[] = [];
  for (const workload of WORKLOADS) {
    for (const concurrency of CONCURRENCY) {
      for (let round = 0; round < rounds(harness, concurrency); round++) {
        const questions = await questionsFor(harness, workload, concurrency, round);
        const targets = round % 2 === 0 ? [client, peer] : [peer, client];
        samples.push({
          workload,
          concurrency,
          round,
          ...(await compare(targets, questions, concurrency)),
        });
      }
    }
  }
  return {
    tables: [tableOf(samples)],
    ratios: ratiosOf(samples),
    samples,
    notes: modelNotes(harness.model),
  };
}

const rounds = ({ options }: Harness, concurrency: number): number =>
  concurrency === RATIOS_AT ? (options.full ? 5 : 3) : options.full ? 2 : 1;

function requestCount({ options }: Harness, concurrency: number): number {
  return Math.max(options.full ? 48 : 16, (options.full ? 4 : 2) * concurrency);
}

/** Both pay for just-in-time compilation and first allocations before anything is timed. */
async function warmUp(harness: Harness, targets: readonly Target[]): Promise<void> {
  const pictures = await harness.newPictures(4);
  const questions = [
    ...uniqueImages(pictures, harness.model.imageAnswer),
    ...textOnly(4, 100, TEXT_TOKENS),
  ];
  for (const target of targets) await runLoad(target, questions, 4);
}

/** Every round has pictures of its own: the fleet would know those of the round before. */
async function questionsFor(
  harness: Harness,
  workload: Workload,
  concurrency: number,
  round: number,
): Promise<Question[]> {
  const count = requestCount(harness, concurrency);
  const seed = 1000 * concurrency + round;
  const { imageAnswer } = harness.model;
  if (workload === 'text') return textOnly(count, seed, TEXT_TOKENS);
  if (workload === 'unique') return uniqueImages(await harness.newPictures(count), imageAnswer);
  return repeatedImages(await harness.newPictures(firstShown(count)), count, seed, imageAnswer);
}

async function compare(
  targets: readonly Target[],
  questions: readonly Question[],
  concurrency: number,
): Promise<Pick<Sample, 'fleet' | 'peer' | 'ratio' | 'sameAnswers'>> {
  const results = new Map<string, LoadResult>();
  for (const target of targets)
    results.set(target.name, await runLoad(target, questions, concurrency));
  const [fleet, peer] = [results.get('fleet'), results.get('peer')];
  if (fleet === undefined || peer === undefined) throw new TypeError('Needs a fleet and a peer');
  return {
    fleet: fleet.stats,
    peer: peer.stats,
    ratio: fleet.stats.requestsPerS / peer.stats.requestsPerS,
    sameAnswers: sameAnswers(fleet, peer),
  };
}

/** The peer tells its end-of-sequence token and the fleet may not: one more token is no difference. */
function sameAnswers(fleet: LoadResult, peer: LoadResult): number {
  const same = fleet.answers.filter(({ tokenIds }, i) => {
    const other = peer.answers[i]?.tokenIds ?? [];
    const [short, long] = tokenIds.length <= other.length ? [tokenIds, other] : [other, tokenIds];
    return long.length - short.length <= 1 && short.every((token, k) => token === long[k]);
  });
  return same.length / fleet.answers.length;
}

function ratiosOf(samples: readonly Sample[]): Record<Workload, number | null> {
  const of = (workload: Workload): number | null =>
    median(
      samples
        .filter((sample) => sample.workload === workload && sample.concurrency === RATIOS_AT)
        .map(({ ratio }) => ratio),
    );
  return { unique: of('unique'), repeated: of('repeated'), text: of('text') };
}

function tableOf(samples: readonly Sample[]): string {
  const headings = [
    'load',
    'at once',
    'fleet req/s',
    'peer req/s',
    'ratio',
    'fleet tok/s',
    'fleet p50 ms',
    'fleet p99 ms',
    'peer p50 ms',
    'peer p99 ms',
    'fleet TTFT p50',
    'peer TTFT p50',
    'same answers',
  ];
  return table(headings, samples.map(rowOf));
}

const rowOf = ({
  workload,
  concurrency,
  fleet,
  peer,
  ratio,
  sameAnswers: same,
}: Sample): Cell[] => [
  workload,
  concurrency,
  fleet.requestsPerS,
  peer.requestsPerS,
  ratio,
  fleet.tokensPerS,
  fleet.latency.p50,
  fleet.latency.p99,
  peer.latency.p50,
  peer.latency.p99,
  fleet.ttft.p50,
  peer.ttft.p50,
  same,
];
