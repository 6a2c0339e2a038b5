import type { BenchFleet } from './fleet/fleet.ts';
import type { Harness } from './harness.ts';
import { print, type Findings } from './report/json.ts';
import { cpuPerRequest, readCpuTimes, type CpuTimes } from './load/cpu-profile.ts';
import { runLoad, type LoadResult } from './load/run-load.ts';
import { cpuTable, ratiosOf, throughputTable } from './load/served-tables.ts';
import { servePlan } from './load/serve-plan.ts';
import { WORKLOADS, type Served } from './load/served.ts';
import { questionsFor, textOnly, TEXT_TOKENS, uniqueImages } from './load/workloads.ts';
import type { BenchOptions } from './options.ts';
import type { Peer } from './peer/peer.ts';
import type { Question, Target } from './question.ts';

/** Throughput and latency by load and concurrency, beside the peer, the two taking turns. */
export async function serve(harness: Harness): Promise<Findings> {
  const fleet = await harness.startFleet(fleetOf(harness.options));
  const peer = await harness.startPeer();
  await warmUp(harness, [fleet.client, peer]);
  const heavy = harness.model.name !== 'tiny-vlm';
  const samples: Served[] = [];
  for (const workload of WORKLOADS) {
    for (const { concurrency, rounds, requests } of servePlan(harness.options, heavy)) {
      for (let round = 0; round < rounds; round++) {
        const seed = 1000 * concurrency + round;
        const questions = await questionsFor(harness, workload, requests, seed);
        const compared = await compare(fleet, peer, {
          questions,
          concurrency,
          peerFirst: round % 2 === 1,
        });
        samples.push({ workload, concurrency, round, ...compared });
        const rates = [compared.fleet, compared.peer].map((stats) => stats.requestsPerS.toFixed(2));
        print(`${workload}, ${concurrency} at once: fleet ${rates[0]} req/s, peer ${rates[1]}`);
      }
    }
  }
  return {
    tables: [throughputTable(samples), cpuTable(samples)],
    ratios: ratiosOf(samples),
    samples,
    notes: [...harness.notes, fleetNote(harness.options)],
  };
}

const fleetNote = ({ encoders, decoders, providers }: BenchOptions): string =>
  `the fleet has ${encoders} encoder(s) on ${providers.join(', ')} and ${decoders} PD worker(s)`;

const fleetOf = ({ encoders, decoders, providers }: BenchOptions) => ({
  workers: { encoder: encoders, 'prefill-decode': decoders },
  env: { encoder: { EPD_EXECUTION_PROVIDERS: providers.join() } },
});

/** Both pay for just-in-time compilation and first allocations before anything is timed. */
async function warmUp(harness: Harness, targets: readonly Target[]): Promise<void> {
  const pictures = await harness.newPictures(4);
  const questions = [
    ...uniqueImages(pictures, harness.model.imageAnswer),
    ...textOnly(4, 100, TEXT_TOKENS),
  ];
  for (const target of targets) await runLoad(target, questions, 4);
}

interface Turn {
  readonly questions: readonly Question[];
  readonly concurrency: number;
  readonly peerFirst: boolean;
}

async function compare(
  fleet: BenchFleet,
  peer: Peer,
  { questions, concurrency, peerFirst }: Turn,
): Promise<Omit<Served, 'workload' | 'concurrency' | 'round'>> {
  const run = (target: Target) => withCpuTimes(fleet, peer, target, questions, concurrency);
  const before = peerFirst ? await run(peer) : null;
  const ours = await run(fleet.client);
  const theirs = before ?? (await run(peer));
  return {
    fleet: ours.stats,
    peer: theirs.stats,
    cpuMs: { ...ours.cpuMs, peer: theirs.cpuMs.peer },
    ratio: ours.stats.requestsPerS / theirs.stats.requestsPerS,
    sameAnswers: sameAnswers(ours, theirs),
  };
}

async function withCpuTimes(
  fleet: BenchFleet,
  peer: Peer,
  target: Target,
  questions: readonly Question[],
  concurrency: number,
): Promise<LoadResult & { readonly cpuMs: CpuTimes }> {
  const before = await readCpuTimes(fleet, peer);
  const result = await runLoad(target, questions, concurrency);
  const cpuMs = cpuPerRequest(before, await readCpuTimes(fleet, peer), questions.length);
  return { ...result, cpuMs };
}

/** The peer emits its end-of-sequence token and the fleet may not: one more token is no difference. */
function sameAnswers(fleet: LoadResult, peer: LoadResult): number {
  const same = fleet.answers.filter(({ tokenIds }, i) => {
    const other = peer.answers[i]?.tokenIds ?? [];
    const [short, long] = tokenIds.length <= other.length ? [tokenIds, other] : [other, tokenIds];
    return long.length - short.length <= 1 && short.every((token, k) => token === long[k]);
  });
  return same.length / fleet.answers.length;
}
