import { setTimeout as sleep } from 'node:timers/promises';
import { cpuTimeMs } from '../fleet/process-usage.ts';
import { ROLES, type BenchFleet, type FleetOptions } from '../fleet/fleet.ts';
import { runLoad } from '../load/run-load.ts';
import { uniqueImages, type PictureSource } from '../load/workloads.ts';
import type { Cell } from '../table.ts';

const PICTURES = 300;
const AT_ONCE = 16;
/** The index is behind by less than a second: what it does after the last answer belongs to the measurement. */
const SETTLE_MS = 3_000;

interface Starter extends PictureSource {
  startFleet(options?: Pick<FleetOptions, 'workers'>): Promise<BenchFleet>;
}

export interface IndexingCost {
  /** CPU milliseconds a new picture, by process, with the index and without, in turns. */
  readonly cpu: Cell[][];
  /** Milliseconds of searches by image id, one at a time, as their client sees them. */
  readonly searchMs: number[];
}

export async function indexingCost(harness: Starter): Promise<IndexingCost> {
  const fleets = [
    ['without', await harness.startFleet()],
    ['with', await harness.startFleet({ workers: { index: 1 } })],
  ] as const;
  for (const [, fleet] of fleets) await load(harness, fleet, AT_ONCE);
  const cpu: Cell[][] = [];
  for (const [name, fleet] of fleets) {
    const before = await cpuOf(fleet);
    await load(harness, fleet, PICTURES);
    await sleep(SETTLE_MS);
    const after = await cpuOf(fleet);
    const each = after.map((ms, i) => (ms - (before[i] ?? 0)) / PICTURES);
    const sum = each.reduce((total, ms) => total + ms, 0);
    const index = each[ROLES.indexOf('index')] ?? 0;
    cpu.push([name, ...each, sum, index / sum]);
  }
  return { cpu, searchMs: await searches(fleets[1][1].url) };
}

async function searches(url: string): Promise<number[]> {
  const { data } = (await (await fetch(`${url}/v1/images?limit=100`)).json()) as {
    data: { id: string }[];
  };
  const times: number[] = [];
  for (const { id } of [...data, ...data]) {
    const body = JSON.stringify({ image_id: id });
    const headers = { 'content-type': 'application/json' };
    const from = performance.now();
    const answer = await fetch(`${url}/v1/images/search`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`/v1/images/search answered ${answer.status}: ${text}`);
    times.push(performance.now() - from);
  }
  return times.slice(data.length);
}

export const COST_HEADS = [
  'index',
  ...ROLES.map((role) => `${role}, ms`),
  'all, ms',
  'share of index',
];

async function load(harness: Starter, fleet: BenchFleet, count: number): Promise<void> {
  const questions = uniqueImages(await harness.newPictures(count), harness.model.imageAnswer);
  await runLoad(fleet.client, questions, AT_ONCE);
}

const cpuOf = (fleet: BenchFleet): Promise<number[]> =>
  Promise.all(
    ROLES.map(async (role) => {
      const times = await Promise.all(fleet.pids(role).map(cpuTimeMs));
      return times.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
    }),
  );
