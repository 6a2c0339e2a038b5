// The bench looks at the engine by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import type { Engine } from '@epd/prefill-decode/engine';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { DRAFT_PROMPTS } from './decoder/draft-prompts.ts';
import { rateOf, startEngine, type Rate } from './decoder/engine-rate.ts';
import type { Harness } from './harness.ts';
import { buildModel, MODELS_CACHE, TOKENIZER_FOLDER } from './model/build-model.ts';
import { counting, smolvlmShape } from './model/shape.ts';
import { median } from './percentiles.ts';
import { print, type Findings } from './report/json.ts';
import { table, type Cell } from './table.ts';

const PROMPTS = ['whole', 'phrases', 'none'] as const;
const BATCHES = [1, 2] as const;
/** Most drafts of a step, as the setting has it. */
const DRAFT_TOKENS = 8;
const CONTEXT = 512;

interface Sample {
  readonly prompt: (typeof PROMPTS)[number];
  readonly batch: number;
  readonly drafts: boolean;
  readonly round: number;
  readonly tokensPerS: number;
  readonly cpuMs: number;
}

/** Decoding with and without drafts of answers that their prompts hold, in part, or not at all. */
export async function drafts(harness: Harness): Promise<Findings> {
  const { full, scale } = harness.options;
  const shape = counting(smolvlmShape(scale));
  const modelDir = await buildModel(shape, {
    cacheFolder: projectPath(MODELS_CACHE),
    tokenizerFolder: projectPath(TOKENIZER_FOLDER),
  });
  await using stack = new AsyncDisposableStack();
  const cacheFolder = await mkdtemp(join(tmpdir(), 'epd-bench-drafts-'));
  stack.defer(() => rm(cacheFolder, { recursive: true, force: true }));
  const threads = availableParallelism();
  const setting = { modelDir, cacheFolder, threads, context: CONTEXT, batch: Math.max(...BATCHES) };
  const engines: Engine[] = [];
  for (const draftTokens of [0, DRAFT_TOKENS]) {
    const engine = await startEngine(setting, 'auto', draftTokens);
    stack.defer(() => engine.close());
    engines.push(engine);
  }
  const samples: Sample[] = [];
  for (let round = 0; round < (full ? 7 : 3); round++) {
    for (const prompt of PROMPTS)
      for (const batch of BATCHES)
        samples.push(...(await pair(engines, { prompt, batch, round }, full ? 192 : 96)));
    print(`round ${round + 1} measured`);
  }
  const notes = [`model ${shape.name}`, `${threads} threads a run`];
  return { tables: [tableOf(samples)], ratios: ratiosOf(samples), samples, notes };
}

/** Without drafts, and with. Throws when the answers differ. */
async function pair(
  engines: readonly Engine[],
  point: Pick<Sample, 'prompt' | 'batch' | 'round'>,
  tokens: number,
): Promise<Sample[]> {
  const prompts = Array.from({ length: point.batch }, (_, index) =>
    DRAFT_PROMPTS[point.prompt](CONTEXT, index),
  );
  const rates: Rate[] = [];
  for (const engine of engines) rates.push(await rateOf(engine, prompts, tokens));
  if (new Set(rates.map(({ answer }) => answer.join())).size > 1)
    throw new Error(`Another answer with drafts: ${point.prompt}`);
  const { prompt, batch, round } = point;
  return rates.map(({ tokensPerS, cpuMs }, index) => {
    return { prompt, batch, round, drafts: index > 0, tokensPerS, cpuMs };
  });
}

type Measure = 'tokensPerS' | 'cpuMs';

function medianOf(samples: readonly Sample[], of: Partial<Sample>, measure: Measure): number {
  const same = samples.filter(
    ({ prompt, batch, drafts: drafted }) =>
      prompt === of.prompt && batch === of.batch && drafted === of.drafts,
  );
  return median(same.map((sample) => sample[measure])) ?? Number.NaN;
}

const POINTS = PROMPTS.flatMap((prompt) => BATCHES.map((batch) => ({ prompt, batch })));

function ratiosOf(samples: readonly Sample[]): Record<string, number> {
  const over = (of: Partial<Sample>): number =>
    medianOf(samples, { ...of, drafts: true }, 'tokensPerS') /
    medianOf(samples, { ...of, drafts: false }, 'tokensPerS');
  const named = POINTS.map((of) => [`${of.prompt}At${of.batch}`, over(of)] as const);
  return Object.fromEntries(named);
}

function tableOf(samples: readonly Sample[]): string {
  const cells = (of: Partial<Sample>, measure: Measure): number[] =>
    [false, true].map((drafted) => medianOf(samples, { ...of, drafts: drafted }, measure));
  const row = (of: (typeof POINTS)[number]): Cell[] => [
    of.prompt,
    of.batch,
    ...cells(of, 'tokensPerS'),
    ...cells(of, 'cpuMs'),
  ];
  const headings = ['tok/s', 'tok/s, drafts', 'CPU ms/tok', 'CPU ms/tok, drafts'];
  return table(['in the prompt', 'batch', ...headings], POINTS.map(row));
}
