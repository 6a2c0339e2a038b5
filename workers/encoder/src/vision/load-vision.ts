import { requireOnnxFile, type ImageGeometry, type ModelFolder } from '@epd/model';
import { visionShape, type VisionShape } from '@epd/model/preprocess';
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
  /** An ordinary item. */
  readonly shape: VisionShape;
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
  const shape = visionShape(geometry);
  const width = folder.model.text.hiddenSize;
  const runner = await VisionRunner.start({ ...options, modelPath: path, shape, width });
  const { rewritten, note } = runner.preparation;
  if (rewritten) log.info({ preparation: note }, 'vision encoder loaded');
  else log.warn({ preparation: note }, 'the vision encoder runs as exported, which is slower');
  if (shape.grid !== null) return { runner, shape, tilesPerRun: 1 };
  if (tilesPerRun > 0) return { runner, shape, tilesPerRun };
  const encode: typeof runner.encode = (...args) => runner.encode(...args);
  const limits = { shape, tilesMax: MEASURED_TILES_MAX };
  const measured = await measureTilesPerRun(encode, limits);
  log.info(measured, 'measured how many tiles to encode at once');
  return { runner, shape, tilesPerRun: measured.tilesPerRun };
}
