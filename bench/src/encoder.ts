import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// The bench looks at the vision encoder by itself, which no service may.
// oxlint-disable-next-line no-restricted-imports
import { prepareVision, VisionSession, type VisionOptions } from '@epd/encoder/vision';
import { modelCard, readModelFolder, requireOnnxFile } from '@epd/model';
import type { Harness } from './harness.ts';
import { print, type Findings } from './json.ts';
import { summarize } from './percentiles.ts';
import { uniform } from './random.ts';
import { table } from './table.ts';

const TILES = [1, 4] as const;
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
    const samples = await measure(sessions, options.side, roundsOf(harness));
    const notes = [...harness.notes, 'one thread; the graphs take turns'];
    return { tables: [tableOf(samples)], ratios: { fused: ratio(samples) }, samples, notes };
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}

async function visionOptions({ model }: Harness, cacheFolder: string): Promise<VisionOptions> {
  const folder = await readModelFolder(model.dir);
  const { geometry, hiddenSize } = modelCard(folder, '');
  return {
    modelPath: requireOnnxFile(folder.onnx, 'vision_encoder').path,
    cacheFolder,
    executionProviders: ['cpu'],
    threads: 1,
    side: geometry.tileEdge,
    rowsPerTile: geometry.rowsPerTile,
    width: hiddenSize,
  };
}

function roundsOf({ model, options }: Harness): number {
  if (model.name === 'tiny-vlm') return options.full ? 100 : 30;
  return options.full ? 10 : 3;
}

async function measure(
  sessions: Readonly<Record<Kind, VisionSession>>,
  side: number,
  rounds: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const tiles of TILES) {
    const image = { tiles, data: noise(tiles * 3 * side * side) };
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

function noise(values: number): Float32Array<SharedArrayBuffer> {
  const next = uniform(1);
  const bytes = values * Float32Array.BYTES_PER_ELEMENT;
  const data = new Float32Array(new SharedArrayBuffer(bytes));
  for (let i = 0; i < values; i++) data[i] = next() - 0.5;
  return data;
}

const p50 = (samples: readonly Sample[], kind: Kind, tiles: number): number | null =>
  summarize(samples.find((each) => each.kind === kind && each.tiles === tiles)?.msPerTile ?? [])
    .p50;

/** Of one tile: the fused graph's time over the exported one's. */
function ratio(samples: readonly Sample[]): number | null {
  const [exported, fused] = [p50(samples, 'exported', 1), p50(samples, 'fused', 1)];
  return exported === null || fused === null ? null : fused / exported;
}

function tableOf(samples: readonly Sample[]): string {
  const rows = TILES.map((tiles) => [
    tiles,
    p50(samples, 'exported', tiles),
    p50(samples, 'fused', tiles),
  ]);
  return table(['tiles a run', 'exported, ms a tile', 'fused, ms a tile'], rows);
}
