import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sampling } from '@epd/jobs';
import type { ExecutionContext } from 'ava';
import {
  createEngine,
  type Engine,
  type EngineEvent,
  type EngineOptions,
  type EngineRequest,
} from '../../src/engine/index.ts';
import { MODEL_FOLDER } from './golden.ts';

/** One cache of rewritten graphs for all engines of a test process. */
const CACHE = mkdtempSync(join(tmpdir(), 'epd-decoders-'));
process.once('beforeExit', () => void rm(CACHE, { recursive: true, force: true }));

const MIB = 2 ** 20;

/** Generous bounds, unless overridden. */
export function engineOptions(overrides: Partial<EngineOptions> = {}): EngineOptions {
  return {
    modelFolder: MODEL_FOLDER,
    cacheFolder: CACHE,
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

export function sampling(overrides: Partial<Sampling> = {}): Sampling {
  return {
    maxTokens: 160,
    temperature: 0,
    topP: 1,
    topK: 0,
    minP: 0,
    repetitionPenalty: 1,
    presencePenalty: 0,
    frequencyPenalty: 0,
    seed: 1,
    stop: [],
    ignoreEos: false,
    n: 1,
    topLogprobs: null,
    jsonSchema: null,
    ...overrides,
  };
}

export type Finished = Extract<EngineEvent, { type: 'finished' }>;

/** Adds the request and resolves with its end; rejects when it fails. `events` takes all that is said. */
export function generate(
  engine: Engine,
  request: EngineRequest,
  events: EngineEvent[] = [],
): Promise<Finished> {
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
