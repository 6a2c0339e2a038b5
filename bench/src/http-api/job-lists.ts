import { jobBody } from '../fleet/fleet-client.ts';
import type { BenchFleet } from '../fleet/fleet.ts';
import { textOnly } from '../load/workloads.ts';
import { summarize, type Summary } from '../percentiles.ts';

const CONCURRENCY = 16;
const ASKED = 20;
/** What is listed: a page whose jobs come first, and pages of jobs that are few among the others, or none. */
export const LISTS = ['', 'status=queued', 'status=completed', 'status=failed'] as const;

export interface JobLists {
  /** Of one tenant. */
  readonly jobs: number;
  /** Milliseconds of `GET /v1/jobs` with each of `LISTS`, one request at a time. */
  readonly ms: Readonly<Record<(typeof LISTS)[number], Summary>>;
}

/** Accepts jobs until there are so many, then asks for pages of them. */
export async function jobLists(fleet: BenchFleet, have: number, jobs: number): Promise<JobLists> {
  const bodies = textOnly(Math.max(0, jobs - have), 100_000, 1)
    .map(jobBody)
    .values();
  const accept = async (): Promise<void> => {
    for (const body of bodies) await fleet.http.postJson('/v1/jobs', body);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, accept));
  const ms = {} as Record<(typeof LISTS)[number], Summary>;
  for (const list of LISTS) ms[list] = await pageMs(fleet, list);
  return { jobs, ms };
}

async function pageMs({ http }: BenchFleet, query: string): Promise<Summary> {
  const ms: number[] = [];
  for (let asked = 0; asked < ASKED; asked++) {
    const beganMs = performance.now();
    await http.getJson(`/v1/jobs?limit=20&${query}`);
    ms.push(performance.now() - beganMs);
  }
  return summarize(ms);
}
