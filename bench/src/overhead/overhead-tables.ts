import type { Overhead } from './overhead.ts';
import { table, type Cell } from '../table.ts';
import { ONNX_RUNTIME } from './part-of.ts';

const PROCESSES = ['api', 'encoder', 'prefill-decode', 'redis', 'clients'] as const;
const NODE_ROLES = ['api', 'encoder', 'prefill-decode'] as const;
/** What takes less of a request than this, in milliseconds, has no row of its own. */
const PART_MS_MIN = 0.1;

/** Everything but the model, milliseconds a request; `commands` are those that clients of Redis sent. */
export function ratiosOf(samples: readonly Overhead[]): Record<string, number | null> {
  return Object.fromEntries(
    samples.flatMap((sample) => [
      [`${sample.workload}Ms`, outside(sample)],
      [`${sample.workload}Commands`, commandsOf(sample)],
    ]),
  );
}

export const cpuTable = (samples: readonly Overhead[]): string =>
  table(
    ['CPU ms/request', ...PROCESSES, 'in all', ONNX_RUNTIME, 'the rest'],
    samples.map((sample): Cell[] => [
      sample.workload,
      ...PROCESSES.map((name) => sample.cpuMs[name]),
      inAll(sample),
      modelMs(sample),
      outside(sample),
    ]),
  );

/** The largest parts of each process beside ONNX Runtime. */
export function partsTable({ workload, parts }: Overhead): string {
  const rows = NODE_ROLES.flatMap((role) =>
    [...parts[role]]
      .filter(([, ms]) => ms >= PART_MS_MIN)
      .toSorted(([, a], [, b]) => b - a)
      .map(([part, ms]): Cell[] => [role, part, ms]),
  );
  return table([`${workload}: process`, 'part', 'ms/request'], rows);
}

export function commandsTable({ workload, traffic }: Overhead): string {
  const rows = [...traffic.sent]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]): Cell[] => [name, count]);
  return table(
    [`${workload}: sent to Redis`, 'commands/request'],
    [...rows, ['called by scripts', traffic.inScripts], ['bytes in and out', traffic.bytes]],
  );
}

const inAll = ({ cpuMs }: Overhead): number =>
  PROCESSES.reduce((sum, name) => sum + (cpuMs[name] ?? 0), 0);

const modelMs = ({ parts }: Overhead): number =>
  NODE_ROLES.reduce((sum, role) => sum + (parts[role].get(ONNX_RUNTIME) ?? 0), 0);

const outside = (sample: Overhead): number => inAll(sample) - modelMs(sample);

const commandsOf = ({ traffic }: Overhead): number =>
  [...traffic.sent.values()].reduce((sum, count) => sum + count, 0);
