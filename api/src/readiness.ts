import type { ObjectStore } from '@epd/connector';
import type { Readiness } from '@epd/service';
import type { Redis } from 'ioredis';
import type { ModelDirectory } from './core/models/model-directory.ts';

interface Needs {
  readonly redis: Pick<Redis, 'ping'>;
  readonly inputs: Pick<ObjectStore, 'ping'>;
  readonly models: ModelDirectory;
}

/** A probe is repeated every few seconds; one that takes longer is an answer in itself. */
const PROBE_MS = 2_000;

/**
 * Ready when jobs can be accepted durably: Redis and the store answer. That no worker runs does not
 * make it unready, for accepted jobs wait; the report says so. After Redis has lost its data no model is known
 * until a worker registers again, and every job would be refused.
 */
export async function checkReadiness({ redis, inputs, models }: Needs): Promise<Readiness> {
  const [redisAnswers, storeAnswers] = await Promise.all([
    answers(() => redis.ping()),
    answers(() => inputs.ping()),
  ]);
  const lost = redisAnswers && (await models.isWithout());
  const ready = redisAnswers && storeAnswers && !lost;
  return {
    ready,
    redis: lost ? 'lost its data' : redisAnswers ? 'ok' : 'unavailable',
    store: storeAnswers ? 'ok' : 'unavailable',
    ...(redisAnswers ? { models: await workersByModel(models) } : {}),
  };
}

async function answers(probe: () => Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), PROBE_MS);
  try {
    return await Promise.race([probe().then(() => true), late.promise]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

async function workersByModel(models: ModelDirectory) {
  const cards = await models.models();
  const entries = cards.map(async ({ id }) => [id, await models.workers(id)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
