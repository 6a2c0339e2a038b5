import { sharedFloats, type VisionItem, type VisionShape } from '@epd/model/preprocess';
import type { EncodedImages } from './vision-runner.ts';

export interface TilesMeasurement {
  /** The number of tiles per run with the most tiles per second. */
  readonly tilesPerRun: number;
  readonly samples: readonly { readonly tiles: number; readonly ms: number }[];
}

type Encode = (items: readonly VisionItem[], partsPerRun: number) => Promise<EncodedImages>;

/** A larger run must be better by this factor: all its items wait for the whole run. */
const GAIN_MIN = 1.05;
/** A longer run delays new items too much, whatever its throughput. */
const RUN_MS_MAX = 2_000;

/**
 * Measures how many tiles are best encoded in one run, doubling from 1 while it pays. Some exports
 * are slower in batches than one by one, and only a measurement on the machine shows that.
 */
export async function measureTilesPerRun(
  encode: Encode,
  options: { readonly shape: VisionShape; readonly tilesMax: number },
): Promise<TilesMeasurement> {
  const samples: { tiles: number; ms: number }[] = [];
  let best = { tiles: 1, rate: 0 };
  await encode([blankTiles(1, options.shape)], 1); // the first run pays for allocations
  for (let tiles = 1; tiles <= options.tilesMax; tiles *= 2) {
    const { ms } = await encode([blankTiles(tiles, options.shape)], tiles);
    samples.push({ tiles, ms });
    const rate = tiles / ms;
    if (rate > best.rate * (best.rate === 0 ? 1 : GAIN_MIN)) best = { tiles, rate };
    else if (rate * GAIN_MIN < best.rate || ms > RUN_MS_MAX) break;
    if (ms * 2 > RUN_MS_MAX) break;
  }
  return { tilesPerRun: best.tiles, samples };
}

/** Not zeros: exports skip tiles that are all zero, because they take them for padding. */
function blankTiles(tiles: number, shape: VisionShape): VisionItem {
  const { parts, rows, dims } = shape;
  const area = dims.reduce((product, size) => product * size, tiles);
  const data = sharedFloats(area).fill(0.5);
  return { ...shape, parts: tiles, rows: (rows / parts) * tiles, data };
}
