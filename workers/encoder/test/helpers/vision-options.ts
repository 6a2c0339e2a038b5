import { requireOnnxFile } from '@epd/model';
import { testGraphs } from '@epd/service/testing';
import type { VisionOptions } from '../../src/session/vision-messages.ts';
import { tinyVlm } from './golden.ts';

/** The bundled model's vision encoder on one thread. */
export async function visionOptions(): Promise<VisionOptions> {
  const { folder } = await tinyVlm();
  return {
    modelPath: requireOnnxFile(folder.onnx, 'vision_encoder').path,
    cacheFolder: testGraphs(),
    executionProviders: ['cpu'],
    threads: 1,
    shape: { rows: 16, parts: 1, dims: [3, 128, 128], grid: null },
    width: 192,
  };
}
