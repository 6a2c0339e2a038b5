import { join } from 'node:path';
import { ModelFolderError } from '../../errors.ts';
import type { Idefics3Config } from './config.ts';
import type { Idefics3Geometry } from './geometry.ts';
import { LAST_ROW_END, ROW_END, tileStart, WHOLE_END, WHOLE_START } from './markup.ts';

type Count = (markup: string) => number;

/** The geometry of a folder's images; `count` returns how many tokens the markers take. */
export function readGeometry(path: string, config: Idefics3Config, count: Count): Idefics3Geometry {
  const { preprocessor } = config;
  const longestEdge =
    (preprocessor.do_resize ?? true) ? (preprocessor.size?.longest_edge ?? null) : null;
  const tileEdge = preprocessor.max_image_size.longest_edge;
  const splits = preprocessor.do_image_splitting ?? true;
  const { video_sampling: video } = preprocessor;
  return {
    family: 'idefics3',
    longestEdge,
    tileEdge,
    splits,
    ...(video === undefined
      ? {}
      : {
          frames: {
            most: video.max_frames,
            perSecond: video.fps,
            longestEdge: video.video_size.longest_edge,
          },
        }),
    rowsPerTile: rowsPerTile(path, config, tileEdge),
    markers: {
      whole: count(WHOLE_START + WHOLE_END),
      tile: splits ? tileMarkerTokens(path, count, longestEdge, tileEdge) : 0,
      rowEnd: count(ROW_END),
      lastRowEnd: count(LAST_ROW_END),
    },
  };
}

/** Patches of a tile, `scale_factor` squared of which are merged into one embedding. */
function rowsPerTile(path: string, { model, processor }: Idefics3Config, tileEdge: number): number {
  const { vision_config, scale_factor } = model;
  const rows = Math.floor(tileEdge / vision_config.patch_size / scale_factor) ** 2;
  const said = processor.image_seq_len;
  if (said === undefined || said === rows) return rows;
  throw new ModelFolderError('invalid_config', {
    file: join(path, 'processor_config.json'),
    expected: `image_seq_len to be ${rows}, which tile, patch size and scale factor make`,
    found: String(said),
  });
}

/** An image larger than this many tiles a side is refused by no model; it names no more than this. */
const UNSCALED_TILES_MAX = 9;

/** The cost must not depend on which tile it is, or it could not be told from the image's size alone. */
function tileMarkerTokens(
  path: string,
  count: Count,
  longestEdge: number | null,
  tileEdge: number,
): number {
  const most = longestEdge === null ? UNSCALED_TILES_MAX : Math.ceil(longestEdge / tileEdge);
  const sides = Array.from({ length: most }, (_, index) => index + 1);
  const counts = new Set(sides.flatMap((row) => sides.map((col) => count(tileStart(row, col)))));
  const [tokens] = counts;
  if (tokens !== undefined && counts.size === 1) return tokens;
  throw new ModelFolderError('unsupported_model', {
    file: join(path, 'tokenizer.json'),
    expected: `tile markers of up to ${most} rows and columns to take equally many tokens`,
    found: `${[...counts].join(', ')} tokens`,
  });
}
