import type { ObjectStore } from '@epd/connector';
import type { FleetStore } from '@epd/fleet';
import type { Readiness } from '@epd/service';
import type { Redis } from 'ioredis';
import type { ModelDirectory } from './core/models/model-directory.ts';

interface Needs {
  readonly redis: Pick<Redis, 'ping'>;
  readonly inputs: Pick<ObjectStore, 'ping'>;
  readonly fleetStore: Pick<FleetStore, 'state'>;
  readonly models: ModelDirectory;
}

/** A probe is repeated every few seconds; a slower check counts as failed. */
const PROBE_MS = 2_000;

/**
 * Ready when text can be accepted durably: Redis responds. Without the object store the API still
 * answers text and refuses images with 503, so the report names the problem and the API stays in
 * its load balancer. A store that is not the fleet's is a misconfiguration of this replica alone:
 * others serve its requests. The API is also ready without workers, because accepted jobs are
 * queued. After Redis lost its data no model is known until a worker registers again, and every job
 * would be refused.
 */
export async function checkReadiness(needs: Needs): Promise<Readiness> {
  const { redis, inputs, fleetStore, models } = needs;
  const { verdict, reason } = fleetStore.state;
  const [redisReport, storeReport] = await Promise.all([
    probe(() => redis.ping()),
    verdict === 'other' ? reason : probe(() => inputs.ping()),
  ]);
  const redisAnswers = redisReport === 'ok';
  const lost = redisAnswers && (await models.isWithout());
  return {
    ready: redisAnswers && !lost && verdict !== 'other',
    redis: lost ? 'lost its data' : redisAnswers ? 'ok' : 'unavailable',
    store: storeReport === 'ok' ? 'ok' : 'unavailable',
    ...(storeReport === 'ok' ? {} : { store_reason: storeReport }),
    ...(redisAnswers ? { models: await workersByModel(models) } : {}),
  };
}

/** `ok`, or why not. */
async function probe(ask: () => Promise<unknown>): Promise<string> {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(`no response within ${PROBE_MS} ms`), PROBE_MS);
  try {
    return await Promise.race([ask().then(() => 'ok'), late.promise]);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}

async function workersByModel(models: ModelDirectory) {
  const cards = await models.models();
  const entries = cards.map(async ({ id }) => [id, await models.workers(id)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
