import { median } from '../percentiles.ts';
import { table, type Cell } from '../table.ts';
import { RATIOS_AT, WORKLOADS, type Served, type Workload } from './served.ts';

export function ratiosOf(samples: readonly Served[]): Record<Workload, number | null> {
  const of = (workload: Workload): number | null =>
    median(ofRatios(samples, workload).map(({ ratio }) => ratio));
  return { unique: of('unique'), repeated: of('repeated'), text: of('text') };
}

export function throughputTable(samples: readonly Served[]): string {
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
  return table(headings, samples.map(throughputRow));
}

const throughputRow = (sample: Served): Cell[] => [
  sample.workload,
  sample.concurrency,
  sample.fleet.requestsPerS,
  sample.peer.requestsPerS,
  sample.ratio,
  sample.fleet.tokensPerS,
  sample.fleet.latency.p50,
  sample.fleet.latency.p99,
  sample.peer.latency.p50,
  sample.peer.latency.p99,
  sample.fleet.ttft.p50,
  sample.peer.ttft.p50,
  sample.sameAnswers,
];

/** What holds the fleet back: where CPU time goes while `RATIOS_AT` requests are under way. */
export function cpuTable(samples: readonly Served[]): string {
  const processes = ['api', 'encoder', 'prefill-decode', 'redis', 'clients', 'peer'] as const;
  const rows = WORKLOADS.map((workload): Cell[] => {
    const of = ofRatios(samples, workload);
    const wall = median(of.map(({ fleet }) => 1000 / fleet.requestsPerS));
    const cpu = processes.map((name) => median(of.flatMap(({ cpuMs }) => cpuMs[name] ?? [])));
    return [workload, wall].concat(cpu);
  });
  return table(
    [`ms/request at ${RATIOS_AT}`, 'wall', ...processes.map((name) => `${name} CPU`)],
    rows,
  );
}

const ofRatios = (samples: readonly Served[], workload: Workload): Served[] =>
  samples.filter((sample) => sample.workload === workload && sample.concurrency === RATIOS_AT);
