// The bench looks at the engine by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import { createEngine, type Engine, type EngineEvent } from '@epd/prefill-decode/engine';
import { GREEDY, type Sampling } from '@epd/jobs';
import { promptOf } from '../decoder/prompt.ts';

const GIB = 2 ** 30;
const PROMPT_TOKENS = 64;

export function openEngine(
  modelDir: string,
  cacheFolder: string,
  threads: number,
): Promise<Engine> {
  return createEngine({
    modelFolder: modelDir,
    cacheFolder,
    threads,
    kvCacheBytes: GIB,
    encoderCacheBytes: 2 ** 20,
    tokenBudgetPerStep: 512,
    maxBatch: 16,
    maxHeld: 512,
    connector: null,
  });
}

export interface Written {
  readonly text: string;
  readonly finishReason: string | null;
  /** When each of its tokens came. */
  readonly times: readonly number[];
}

/** Answers one prompt; `index` tells it from others. Rejects when it fails. */
export function write(
  engine: Engine,
  index: number,
  sampling: Partial<Sampling>,
): Promise<Written> {
  const id = `answer-${index}`;
  const times: number[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Written>();
  const off = engine.on((event: EngineEvent) => {
    if (event.id !== id) return;
    if (event.type === 'tokens') times.push(performance.now());
    if (event.type === 'failed') reject(new Error(event.error.message));
    if (event.type === 'finished') {
      const { text = '', finishReason = null } = event.choices[0] ?? {};
      resolve({ text, finishReason, times });
    }
    if (event.type === 'failed' || event.type === 'finished') off();
  });
  const tokens = promptOf(PROMPT_TOKENS, index);
  engine.add({ id, tokens, features: [], sampling: { ...GREEDY, seed: index, ...sampling } });
  return promise;
}
