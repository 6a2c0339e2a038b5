import { ROLES, type BenchFleet, type Role } from '../fleet/fleet.ts';
import { cpuTimeMs } from '../fleet/process-usage.ts';

/** CPU milliseconds by process: the fleet's, the harness that plays its clients, and the peer. */
export type CpuTimes = Readonly<Record<Role | 'clients' | 'peer', number | null>>;

/** What each process had used when it was read. */
export async function readCpuTimes(
  fleet: BenchFleet,
  peer: { readonly pid: number },
): Promise<CpuTimes> {
  const { user, system } = process.cpuUsage();
  const entries = ROLES.map(async (role) => [role, await cpuTimeOf(fleet.pids(role))] as const);
  const roles = Object.fromEntries(await Promise.all(entries)) as Record<Role, number | null>;
  return { ...roles, clients: (user + system) / 1000, peer: await cpuTimeMs(peer.pid) };
}

/** Of all of a role's processes together. */
async function cpuTimeOf(pids: readonly number[]): Promise<number | null> {
  const times = await Promise.all(pids.map(cpuTimeMs));
  return times.reduce((sum, time) => (sum === null || time === null ? null : sum + time), 0);
}

/** Used between two readings, per request. */
export function cpuPerRequest(before: CpuTimes, after: CpuTimes, requests: number): CpuTimes {
  const names = Object.keys(after) as (keyof CpuTimes)[];
  const entries = names.map((name) => {
    const [from, to] = [before[name], after[name]];
    return [name, from === null || to === null ? null : (to - from) / requests] as const;
  });
  return Object.fromEntries(entries) as Record<keyof CpuTimes, number | null>;
}
