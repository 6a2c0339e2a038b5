import { requireOnnxFile, type ImageGeometry, type ModelFolder } from '@epd/model';
import { sharedFloats, visionShape, type VisionShape } from '@epd/model/preprocess';
import type { Logger } from '@epd/service';
import { measureTilesPerRun } from './measure-tiles.ts';
import { VisionRunner, VisionThreadError, type VisionRunnerOptions } from './vision-runner.ts';

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

/** Larger runs never paid on a CPU, and a GPU is saturated before. */
const MEASURED_TILES_MAX = 32;

/** Loads the folder's vision encoder in its thread, and determines how many tiles a run takes. */
export async function loadVision(
  folder: ModelFolder,
  geometry: ImageGeometry,
  settings: VisionSettings,
): Promise<LoadedVision> {
  const { tilesPerRun, log, ...options } = settings;
  const { path } = requireOnnxFile(folder.onnx, 'vision_encoder');
  const shape = visionShape(geometry);
  const width = folder.embeddingWidth;
  const runner = await VisionRunner.start({ ...options, modelPath: path, shape, width });
  await proveRows(runner, shape);
  const { rewritten, note } = runner.preparation;
  if (rewritten) log.info({ preparation: note }, 'vision encoder loaded');
  else
    log.warn(
      { preparation: note },
      'vision encoder graph was not rewritten; it runs as exported, which is slower',
    );
  if (shape.grid !== null) return { runner, shape, tilesPerRun: 1 };
  if (tilesPerRun > 0) return { runner, shape, tilesPerRun };
  const encode: typeof runner.encode = (...args) => runner.encode(...args);
  const limits = { shape, tilesMax: MEASURED_TILES_MAX };
  const measured = await measureTilesPerRun(encode, limits);
  log.info(measured, 'measured the number of tiles per run');
  return { runner, shape, tilesPerRun: measured.tilesPerRun };
}

/** Encodes a synthetic item: a graph whose rows differ from the configuration must not serve. */
async function proveRows(runner: VisionRunner, shape: VisionShape): Promise<void> {
  const values = shape.dims.reduce((product, size) => product * size, shape.parts);
  try {
    await runner.encode([{ ...shape, data: sharedFloats(values).fill(0.5) }], shape.parts);
  } catch (cause) {
    await runner.close();
    const message = `The model's configuration and its graph do not agree: ${(cause as Error).message}`;
    throw new VisionThreadError(message, { cause });
  }
}
