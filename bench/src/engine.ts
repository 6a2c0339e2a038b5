import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecodeSetting } from './decoder/decode-setting.ts';
import { engineRate } from './decoder/engine-rate.ts';
import { growingRate } from './decoder/growing-rate.ts';
import type { Harness } from './harness.ts';
import { print, type Findings } from './report/json.ts';
import { median } from './percentiles.ts';
import { table } from './table.ts';

const CONTEXTS = [256, 1024] as const;
const BATCHES = [1, 4, 8, 16] as const;
/** The point whose ratio is reported. */
const RATIO_AT = { batch: 16, context: 1024 } as const;

/**
 * - `two_part`: the engine over the rewritten graph, which returns only new keys and values.
 * - `concatenating`: the engine over the plain export, which returns past and new joined.
 * - `growing`: no engine; the plain export fed with the cache that it returned, as a simple loop does.
 */
const KINDS = ['two_part', 'concatenating', 'growing'] as const;
type Kind = (typeof KINDS)[number];

interface Sample {
  readonly kind: Kind;
  readonly context: number;
  readonly batch: number;
  readonly round: number;
  /** Tokens per second of the whole batch while all of it decodes. */
  readonly tokensPerS: number;
}

const PLAIN = 'decoder_model_merged_eager.onnx';

/** Tokens per second of the decoder alone by kind of graph, batch size and context. */
export async function engine(harness: Harness): Promise<Findings> {
  const threads = availableParallelism();
  const cacheFolder = await mkdtemp(join(tmpdir(), 'epd-bench-decoders-'));
  const samples: Sample[] = [];
  try {
    for (const context of CONTEXTS) {
      for (const batch of BATCHES) {
        for (let round = 0; round < rounds(harness, context, batch); round++) {
          for (const kind of await kindsOf(harness)) {
            const setting = {
              modelDir: harness.model.dir,
              cacheFolder,
              threads,
              context,
              batch,
              tokens: tokens(harness),
            };
            const tokensPerS = await rateOf(kind, setting);
            samples.push({ kind, context, batch, round, tokensPerS });
          }
        }
        print(`context ${context}, batch ${batch} measured`);
      }
    }
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
  const notes = [...harness.notes, `${threads} threads a run`];
  return { tables: [tableOf(samples)], ratios: ratiosOf(samples), samples, notes };
}

function rounds({ options }: Harness, context: number, batch: number): number {
  if (context === RATIO_AT.context && batch === RATIO_AT.batch) return options.full ? 5 : 3;
  return options.full ? 3 : 1;
}

const tokens = ({ options }: Harness): number => (options.full ? 96 : 48);

function rateOf(kind: Kind, setting: DecodeSetting): Promise<number> {
  if (kind === 'growing') return growingRate(setting, PLAIN);
  return engineRate(setting, kind === 'two_part' ? 'auto' : PLAIN);
}

/** A model that has no plain export is measured in the one kind that it has. */
async function kindsOf({ model }: Harness): Promise<readonly Kind[]> {
  const files = await readdir(join(model.dir, 'onnx'));
  return files.includes(PLAIN) ? KINDS : ['two_part'];
}

function medianRate(
  samples: readonly Sample[],
  kind: Kind,
  context: number,
  batch: number,
): number | null {
  const of = samples.filter(
    (each) => each.kind === kind && each.context === context && each.batch === batch,
  );
  return median(of.map(({ tokensPerS }) => tokensPerS));
}

function ratiosOf(samples: readonly Sample[]): Record<string, number | null> {
  const { batch, context } = RATIO_AT;
  const rate = (kind: Kind): number => medianRate(samples, kind, context, batch) ?? Number.NaN;
  const over = (kind: Kind): number | null => {
    const ratio = rate('two_part') / rate(kind);
    return Number.isFinite(ratio) ? ratio : null;
  };
  return { overGrowing: over('growing'), overConcatenating: over('concatenating') };
}

function tableOf(samples: readonly Sample[]): string {
  const rowOf = (context: number, batch: number): (number | null)[] => {
    const rates = KINDS.map((kind) => medianRate(samples, kind, context, batch));
    return [context, batch, ...rates];
  };
  const rows = CONTEXTS.flatMap((context) => BATCHES.map((batch) => rowOf(context, batch)));
  return table(['context', 'batch', ...KINDS.map((kind) => `${kind} tok/s`)], rows);
}
