import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GREEDY, type Choice, type Sampling } from '@epd/jobs';
import { testGraphs } from '@epd/service/testing';
import type { ExecutionContext, TestFn } from 'ava';
import {
  createEngine,
  type Engine,
  type EngineEvent,
  type EngineOptions,
  type EngineRequest,
} from '../../src/engine/index.ts';
import { MODEL_FOLDER } from './golden.ts';

const MIB = 2 ** 20;

/** Generous bounds, unless overridden. */
export function engineOptions(overrides: Partial<EngineOptions> = {}): EngineOptions {
  return {
    modelFolder: MODEL_FOLDER,
    cacheFolder: testGraphs(),
    kvCacheBytes: 64 * MIB,
    encoderCacheBytes: 16 * MIB,
    tokenBudgetPerStep: 256,
    maxBatch: 8,
    maxHeld: 64,
    threads: 1,
    connector: null,
    ...overrides,
  };
}

/** An engine that is closed when the test ends. */
export async function startEngine(
  t: ExecutionContext,
  overrides: Partial<EngineOptions> = {},
): Promise<Engine> {
  const engine = await createEngine(engineOptions(overrides));
  t.teardown(() => engine.close());
  return engine;
}

/** Engines for all tests of a file, closed after them: starting one costs a second of a core. */
export async function sharedEngines(
  test: TestFn,
  count: number,
  overrides: Partial<EngineOptions> = {},
): Promise<Engine[]> {
  const starting = Array.from({ length: count }, () => createEngine(engineOptions(overrides)));
  const engines = await Promise.all(starting);
  test.after.always(async () => {
    for (const engine of engines) await engine.close();
  });
  return engines;
}

export function sampling(overrides: Partial<Sampling> = {}): Sampling {
  return { ...GREEDY, maxTokens: 160, seed: 1, ...overrides };
}

export type Finished = Extract<EngineEvent, { type: 'finished' }>;

/** Adds the request and resolves with its end; rejects when it fails. `events` takes all that is said. */
export function generate(
  engine: Engine,
  asked: Omit<EngineRequest, 'id'> & { readonly id?: string },
  events: EngineEvent[] = [],
): Promise<Finished> {
  const request = { id: randomUUID(), ...asked };
  const { promise, resolve, reject } = Promise.withResolvers<Finished>();
  const off = engine.on((event) => {
    if (event.id !== request.id) return;
    events.push(event);
    if (event.type === 'failed') reject(new Error(`${event.error.code}: ${event.error.message}`));
    if (event.type === 'finished') resolve(event);
    if (event.type === 'failed' || event.type === 'finished') off();
  });
  engine.add(request);
  return promise;
}

/** Closer log probabilities may change places when sums are computed in another order. */
const TIE = 1e-3;

/**
 * The tokens of a greedy answer that say nothing of how a machine rounds: those before the first
 * near tie. `topLogprobs` must be 2.
 */
export function settled({ tokenIds, logprobs = [] }: Choice): readonly number[] {
  const tie = logprobs.findIndex(
    ({ top: [first, second] }) => first!.logprob - second!.logprob < TIE,
  );
  return tie < 0 ? tokenIds : tokenIds.slice(0, tie);
}

const UNTIL_MS = 20_000;

/** Resolves when the condition holds; rejects when it has not after a long while. */
export async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + UNTIL_MS;
  while (!condition()) {
    if (performance.now() > limit)
      throw new Error(`Not within ${UNTIL_MS} ms: ${condition.toString()}`);
    await sleep(2);
  }
}
