import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  EmbeddingStore,
  createStoreECConnector,
  withConnectorStep,
  type ECConnector,
  type EmbeddingSpec,
} from '@epd/connector';
import { summarize, type Summary } from '../percentiles.ts';
import { FINGERPRINT, SIZES, embeddingOf, freshSpec } from './embeddings.ts';
import type { BenchS3 } from './s3.ts';

const ROWS = SIZES['1 MB'] ?? 455;
/** A load begins in every so many steps. */
const LOAD_EVERY = 4;

export interface StepTimes {
  readonly name: string;
  readonly stepMs: Summary;
}

/**
 * Decode steps of 5 ms, which run on a thread of their own as the engine's do: with nothing to load,
 * with loads beside them, and with each load awaited in its step as a synchronous connector would.
 */
export async function overlap(s3: BenchS3, steps: number): Promise<StepTimes[]> {
  await using stack = new AsyncDisposableStack();
  const store = s3.store();
  stack.defer(() => store.close());
  const embeddings = new EmbeddingStore({ store });
  const decoder = new Worker(new URL('decode-thread.ts', import.meta.url));
  stack.defer(async () => void (await decoder.terminate()));
  const decode = async (): Promise<void> => {
    const done = once(decoder, 'message');
    decoder.postMessage(null, []);
    await done;
  };
  const specs = await saveSome(embeddings, Math.ceil(steps / LOAD_EVERY));
  const services = { embeddings, fingerprint: FINGERPRINT, width: specs[0]?.width ?? 0 };
  const connector = createStoreECConnector(
    { ecConnector: 'StoreECConnector', ecRole: 'ec_consumer' },
    services,
  );
  connector.worker.registerCaches(new Map());
  stack.defer(() => connector.shutdown());
  return [
    { name: 'nothing to load', stepMs: await takeSteps(steps, decode) },
    {
      name: '1 MB every 4 steps, beside',
      stepMs: await stepsWithLoads(connector, specs, steps, decode),
    },
    {
      name: '1 MB every 4 steps, awaited',
      stepMs: await stepsThatWait(embeddings, specs, steps, decode),
    },
  ];
}

async function saveSome(embeddings: EmbeddingStore, count: number): Promise<EmbeddingSpec[]> {
  const specs = Array.from({ length: count }, () => freshSpec(ROWS));
  const embedding = embeddingOf(ROWS);
  for (const { mmHash } of specs) await embeddings.save(mmHash, FINGERPRINT, embedding);
  return specs;
}

const stepsWithLoads = (
  { worker }: ECConnector,
  specs: readonly EmbeddingSpec[],
  steps: number,
  decode: () => Promise<void>,
): Promise<Summary> =>
  takeSteps(steps, async (step) => {
    const loads =
      step % LOAD_EVERY === 0 ? specs.slice(step / LOAD_EVERY, step / LOAD_EVERY + 1) : [];
    await withConnectorStep(worker, { loads }, decode);
  });

const stepsThatWait = (
  embeddings: EmbeddingStore,
  specs: readonly EmbeddingSpec[],
  steps: number,
  decode: () => Promise<void>,
): Promise<Summary> =>
  takeSteps(steps, async (step) => {
    const spec = step % LOAD_EVERY === 0 ? specs[step / LOAD_EVERY] : undefined;
    if (spec) await embeddings.load(spec);
    await decode();
  });

async function takeSteps(steps: number, work: (step: number) => Promise<void>): Promise<Summary> {
  const samples: number[] = [];
  for (let step = 0; step < steps; step += 1) {
    const beganMs = performance.now();
    await work(step);
    samples.push(performance.now() - beganMs);
  }
  return summarize(samples);
}
