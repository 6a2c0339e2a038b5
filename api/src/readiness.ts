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

/** A probe is repeated every few seconds; one that takes longer is an answer in itself. */
const PROBE_MS = 2_000;

/**
 * Ready when text can be accepted durably: Redis answers. Without the object store text is answered all the
 * same and images are refused with 503, so the report says what is wrong with it and the API stays in its
 * load balancer. A store that is not the fleet's is a mistake of this replica alone: others take its work.
 * That no worker runs does not make it unready either, for accepted jobs wait. After
 * Redis has lost its data no model is known until a worker registers again, and every job would be refused.
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
  const timer = setTimeout(() => late.resolve(`no answer within ${PROBE_MS} ms`), PROBE_MS);
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
