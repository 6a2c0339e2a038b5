import { Queue } from 'bullmq';
import { jobBody } from '../fleet/fleet-client.ts';
import type { BenchFleet } from '../fleet/fleet.ts';
import { textOnly } from '../load/workloads.ts';

const CONCURRENCY = 16;

export interface Acceptance {
  /** Jobs accepted over HTTP, durable with their record. */
  readonly acceptedPerS: number;
  /** Jobs of the same options added to a queue of BullMQ's, and nothing else. */
  readonly addedPerS: number;
}

/** Both from this process, `CONCURRENCY` at once. Gives the accepted jobs' ids too. */
export async function acceptance(
  fleet: BenchFleet,
  count: number,
  round: number,
): Promise<Acceptance & { readonly ids: readonly string[] }> {
  const bodies = textOnly(count, 10_000 * round, 1).map(jobBody);
  const ids: string[] = [];
  const acceptedPerS = await perSecond(bodies, async (body) => {
    const { id } = (await fleet.http.postJson('/v1/jobs', body)) as { id: string };
    ids.push(id);
  });
  return { ids, acceptedPerS, addedPerS: await rawAdds(fleet.redisUrl, ids) };
}

async function rawAdds(redisUrl: string, ids: readonly string[]): Promise<number> {
  const queue = new Queue('raw', { connection: { url: redisUrl }, prefix: 'bench-raw' });
  try {
    await queue.waitUntilReady();
    const options = {
      removeOnComplete: true,
      removeOnFail: true,
      attempts: 20,
      backoff: { type: 'fixed', delay: 1_000 },
      priority: 101,
    };
    return await perSecond(ids, async (jobId) => {
      await queue.add('generate', { v: 1, jobId, model: 'tiny-vlm' }, { ...options, jobId });
    });
  } finally {
    await queue.obliterate({ force: true });
    await queue.close();
  }
}

async function perSecond<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<number> {
  const queue = items.values();
  const beganMs = performance.now();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return (items.length * 1000) / (performance.now() - beganMs);
}
