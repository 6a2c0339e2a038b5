import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// The bench looks at the vision encoder by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import { prepareVision, VisionSession, type VisionOptions } from '@epd/encoder/vision';
import { modelCard, readModelFolder, requireOnnxFile } from '@epd/model';
import {
  sharedFloats,
  visionShape,
  type VisionItem,
  type VisionShape,
} from '@epd/model/preprocess';
import type { Harness } from './harness.ts';
import { print, type Findings } from './report/json.ts';
import { summarize } from './percentiles.ts';
import { uniform } from './random.ts';
import { table } from './table.ts';

const TILES = [1, 2, 4, 8] as const;
/** A heavy model on a CPU takes seconds for a tile, and gains nothing by more of them. */
const HEAVY_TILES = [1, 2] as const;
const KINDS = ['exported', 'fused'] as const;
type Kind = (typeof KINDS)[number];

interface Sample {
  readonly kind: Kind;
  readonly tiles: number;
  readonly msPerTile: readonly number[];
}

/** Milliseconds a tile of the vision encoder alone, on one thread: as exported, and fused. */
export async function encoder(harness: Harness): Promise<Findings> {
  const cacheFolder = await mkdtemp(join(tmpdir(), 'epd-bench-vision-'));
  try {
    const options = await visionOptions(harness, cacheFolder);
    const fused = await prepareVision(options);
    print(`graph   ${fused.note}`);
    const sessions = {
      exported: await VisionSession.open(options.modelPath, options),
      fused: await VisionSession.open(fused.path, options),
    };
    const samples = await measure(sessions, options.shape, planOf(harness));
    const where = `on ${harness.options.providers.join(', ')}, one thread; the graphs take turns`;
    const notes = [...harness.notes, where];
    return {
      tables: [tableOf(samples)],
      ratios: { fused: ratio(samples, 1), fusedAt8: ratio(samples, 8) },
      samples,
      notes,
    };
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

async function visionOptions(
  { model, options }: Harness,
  cacheFolder: string,
): Promise<VisionOptions> {
  const folder = await readModelFolder(model.dir);
  const { geometry, embeddingWidth } = modelCard(folder, '');
  return {
    modelPath: requireOnnxFile(folder.onnx, 'vision_encoder').path,
    cacheFolder,
    executionProviders: options.providers,
    threads: 1,
    shape: visionShape(geometry),
    width: embeddingWidth,
  };
}

interface Plan {
  readonly tilesARun: readonly number[];
  readonly rounds: number;
}

function planOf({ model, options }: Harness): Plan {
  const heavy = model.name !== 'tiny-vlm' && options.providers[0] === 'cpu';
  if (!heavy) return { tilesARun: TILES, rounds: options.full ? 100 : 30 };
  return { tilesARun: HEAVY_TILES, rounds: options.full ? 10 : 3 };
}

async function measure(
  sessions: Readonly<Record<Kind, VisionSession>>,
  shape: VisionShape,
  { tilesARun, rounds }: Plan,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const tiles of tilesARun) {
    const image = noise(tiles, shape);
    const times: Record<Kind, number[]> = { exported: [], fused: [] };
    for (const kind of KINDS) await sessions[kind].encode([image], tiles);
    for (let round = 0; round < rounds; round++) {
      for (const kind of KINDS) {
        const beganMs = performance.now();
        await sessions[kind].encode([image], tiles);
        times[kind].push((performance.now() - beganMs) / tiles);
      }
    }
    for (const kind of KINDS) samples.push({ kind, tiles, msPerTile: times[kind] });
  }
  return samples;
}

function noise(tiles: number, shape: VisionShape): VisionItem {
  const next = uniform(1);
  const data = sharedFloats(shape.dims.reduce((product, size) => product * size, tiles));
  for (const i of data.keys()) data[i] = next() - 0.5;
  return { ...shape, parts: tiles, rows: (shape.rows / shape.parts) * tiles, data };
}

const p50 = (samples: readonly Sample[], kind: Kind, tiles: number): number | null =>
  summarize(samples.find((each) => each.kind === kind && each.tiles === tiles)?.msPerTile ?? [])
    .p50;

/** By tiles a run: the fused graph's time over the exported one's. */
function ratio(samples: readonly Sample[], tiles: number): number | null {
  const [exported, fused] = [p50(samples, 'exported', tiles), p50(samples, 'fused', tiles)];
  return exported === null || fused === null ? null : fused / exported;
}

function tableOf(samples: readonly Sample[]): string {
  const tilesARun = [...new Set(samples.map(({ tiles }) => tiles))];
  const rows = tilesARun.map((tiles) => [
    tiles,
    p50(samples, 'exported', tiles),
    p50(samples, 'fused', tiles),
  ]);
  return table(['tiles a run', 'exported, ms a tile', 'fused, ms a tile'], rows);
}
