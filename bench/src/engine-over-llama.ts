import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import type { DecoderRates } from './decoder/decoder-rates.ts';
import { engineRates } from './decoder/engine-rate.ts';
import type { Harness } from './harness.ts';
import type { GgufType } from './llama/gguf-blocks.ts';
import { ggufModel } from './llama/gguf-model.ts';
import { llamaPackage } from './llama/llama-package.ts';
import { llamaRates } from './llama/llama-rates.ts';
import { smolvlmShape } from './model/shape.ts';
import { median } from './percentiles.ts';
import { print, type Findings } from './report/json.ts';
import { UsageError } from './options.ts';
import { table, type Cell } from './table.ts';
import { writeVariant, type Variant } from './model/write-variant.ts';

const CONTEXT = 512;
/** The largest first: smaller ones then find their prompts in the cache of prefixes. */
const BATCHES = [16, 8, 1] as const;
const PROMPTS = [128, 512] as const;
const FEW_THREADS = 2;
const CACHE = '.cache/bench/llama';

/** Our variants, and the form of llama.cpp with as many bits. */
const PAIRS: Readonly<Record<Variant, GgufType>> = {
  fp32: 'f32',
  q4: 'q4_0',
  q8: 'q8_0',
  fp16: 'f16',
};

interface Sample {
  readonly variant: Variant;
  readonly threads: number;
  readonly round: number;
  readonly ours: DecoderRates;
  readonly llama: DecoderRates;
}

/** Tokens per second of the decoder alone, beside llama.cpp's with the same weights and as many bits. */
export async function engineOverLlama(harness: Harness): Promise<Findings> {
  const { name } = harness.model;
  if (name === 'tiny-vlm')
    throw new UsageError(`--peer llama: expected --model smolvlm, got ${name}`);
  const cacheFolder = await mkdtemp(join(tmpdir(), 'epd-bench-decoders-'));
  const entry = await llamaPackage(projectPath(CACHE));
  const samples: Sample[] = [];
  try {
    for (const threads of threadCounts()) {
      for (const variant of Object.keys(PAIRS) as Variant[]) {
        for (let round = 0; round < (harness.options.full ? 3 : 1); round++)
          samples.push(await sample(harness, { entry, cacheFolder, threads, variant, round }));
      }
    }
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
  return {
    tables: [decodeTable(samples), prefillTable(samples)],
    ratios: ratiosOf(samples),
    samples,
    notes: [...harness.notes, sameTokens(samples)],
  };
}

const threadCounts = (): number[] => [
  ...new Set([availableParallelism(), Math.min(FEW_THREADS, availableParallelism())]),
];

async function sample(
  { model, options }: Harness,
  at: Pick<Sample, 'threads' | 'variant' | 'round'> & { entry: string; cacheFolder: string },
): Promise<Sample> {
  const { entry, cacheFolder, threads, variant, round } = at;
  const common = { threads, context: CONTEXT, tokens: options.full ? 96 : 48 };
  const points = { batches: BATCHES, prompts: PROMPTS };
  const decoder = await writeVariant(model.dir, variant);
  const modelPath = await ggufModel(smolvlmShape(model.scale), model.dir, PAIRS[variant]);
  const setting = { ...common, modelDir: model.dir, cacheFolder };
  const ours = await engineRates(setting, decoder, points);
  const llama = await llamaRates({ ...common, ...points, entry, modelPath });
  print(
    `${variant}, ${threads} threads: decode ${shown(ours.decode)}, llama.cpp ${shown(llama.decode)}`,
  );
  print(`  prefill ${shown(ours.prefill)}, llama.cpp ${shown(llama.prefill)}`);
  return { variant, threads, round, ours, llama };
}

const shown = (rates: readonly number[]): string => rates.map((each) => each.toFixed(0)).join(' ');

type Work = 'decode' | 'prefill';
type Side = 'ours' | 'llama';

function rate(
  samples: readonly Sample[],
  { side, work, at }: { readonly side: Side; readonly work: Work; readonly at: number },
): number | null {
  return median(samples.map((each) => each[side][work][at] ?? Number.NaN));
}

const decodeTable = (samples: readonly Sample[]): string =>
  tableOf(samples, 'decode', 'batch', BATCHES);

const prefillTable = (samples: readonly Sample[]): string =>
  tableOf(samples, 'prefill', 'prompt', PROMPTS);

function tableOf(
  samples: readonly Sample[],
  work: Work,
  heading: string,
  points: readonly number[],
): string {
  const rows = groups(samples).flatMap(({ variant, threads, of }) =>
    points.map((point, at): Cell[] => {
      const ours = rate(of, { side: 'ours', work, at });
      const llama = rate(of, { side: 'llama', work, at });
      return [variant, threads, point, ours, llama, quotient(ours, llama)];
    }),
  );
  return table(
    ['variant', 'threads', heading, `${work}, tok/s`, `llama.cpp, tok/s`, 'over llama.cpp'],
    rows,
  );
}

/** `decode.q4.2.16`: of four bits, on two threads, at batch 16. */
function ratiosOf(samples: readonly Sample[]): Record<string, number | null> {
  const entries = groups(samples).flatMap(({ variant, threads, of }) =>
    (['decode', 'prefill'] as const).flatMap((work) =>
      (work === 'decode' ? BATCHES : PROMPTS).map((point, at) => {
        const [ours, llama] = (['ours', 'llama'] as const).map((side) =>
          rate(of, { side, work, at }),
        );
        return [`${work}.${variant}.${threads}.${point}`, quotient(ours ?? null, llama ?? null)];
      }),
    ),
  );
  return Object.fromEntries(entries) as Record<string, number | null>;
}

interface Group extends Pick<Sample, 'variant' | 'threads'> {
  readonly of: readonly Sample[];
}

function groups(samples: readonly Sample[]): Group[] {
  const grouped = Map.groupBy(samples, ({ variant, threads }) => `${variant}.${threads}`);
  return [...grouped.values()].flatMap((of) => {
    const [first] = of;
    return first ? [{ variant: first.variant, threads: first.threads, of }] : [];
  });
}

const quotient = (a: number | null, b: number | null): number | null =>
  a !== null && b !== null && b > 0 ? a / b : null;

/** The same weights in full precision must give the same greedy answer: otherwise the files differ. */
function sameTokens(samples: readonly Sample[]): string {
  const full = samples.filter(({ variant }) => variant === 'fp32');
  const same = full.filter(({ ours, llama }) => ours.answer.join() === llama.answer.join());
  return `llama.cpp gave the same tokens in ${same.length} of ${full.length} runs in full precision`;
}
