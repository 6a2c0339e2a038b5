import { requireOnnxFile, type ImageGeometry, type ModelFolder } from '@epd/model';
import type { Logger } from '@epd/service';
import { measureTilesPerRun } from './measure-tiles.ts';
import { VisionRunner, type VisionRunnerOptions } from './vision-runner.ts';

export interface VisionSettings extends Pick<
  VisionRunnerOptions,
  'cacheFolder' | 'executionProviders' | 'threads' | 'runTimeoutMs' | 'onHang' | 'onDeath'
> {
  /** 0: measured. */
  readonly tilesPerRun: number;
  readonly log: Logger;
}

export interface LoadedVision {
  readonly runner: VisionRunner;
  readonly tilesPerRun: number;
}

/** Larger runs were never found to pay on a CPU, and a GPU is full before. */
const MEASURED_TILES_MAX = 32;

/** The folder's vision encoder in its thread, and how many tiles to give it at once. */
export async function loadVision(
  folder: ModelFolder,
  geometry: ImageGeometry,
  settings: VisionSettings,
): Promise<LoadedVision> {
  const { tilesPerRun, log, ...options } = settings;
  const { path } = requireOnnxFile(folder.onnx, 'vision_encoder');
  const runner = await VisionRunner.start({
    ...options,
    modelPath: path,
    side: geometry.tileEdge,
    rowsPerTile: geometry.rowsPerTile,
    width: folder.config.text_config.hidden_size,
  });
  log.info({ preparation: runner.preparation }, 'vision encoder loaded');
  if (tilesPerRun > 0) return { runner, tilesPerRun };
  const encode: typeof runner.encode = (...args) => runner.encode(...args);
  const limits = { side: geometry.tileEdge, tilesMax: MEASURED_TILES_MAX };
  const measured = await measureTilesPerRun(encode, limits);
  log.info(measured, 'measured how many tiles to encode at once');
  return { runner, tilesPerRun: measured.tilesPerRun };
}
