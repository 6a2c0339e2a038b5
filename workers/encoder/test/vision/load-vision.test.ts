import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, projectPath } from '@epd/service';
import { tempFolder, testGraphs } from '@epd/service/testing';
import test from 'ava';
import { readEncoderConfig } from '../../src/config.ts';
import { readModel } from '../../src/read-model.ts';
import { loadVision } from '../../src/vision/load-vision.ts';

test('a model whose graph makes other rows than its configuration promises is refused with both numbers', async (t) => {
  const folder = join(await tempFolder(t), 'broken');
  await cp(projectPath('models/tiny-vlm'), folder, { recursive: true });
  const file = join(folder, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...config, scale_factor: 2 })); // 64 rows, where the graph makes 16
  const processor = join(folder, 'processor_config.json');
  const options = JSON.parse(await readFile(processor, 'utf8')) as object;
  await writeFile(processor, JSON.stringify({ ...options, image_seq_len: 64 }));
  const model = await readModel(folder);
  const loading = loadVision(model.folder, model.card.geometry, {
    ...readEncoderConfig(),
    cacheFolder: testGraphs(),
    tilesPerRun: 4,
    threads: 1,
    log: createLogger({ service: 'encoder-test', level: 'fatal' }),
    onHang: () => t.fail('it hangs'),
    onDeath: () => undefined,
  });
  await t.throwsAsync(loading, {
    message: /returned \[\d, 16, 192\], expected (64|128) rows/,
  });
});
