import { readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { configReference, settingNames } from '../../docs/config-reference.ts';

const read = (path: string): Promise<string> => readFile(projectPath(path), 'utf8');

test('the configuration reference is what the schemas say', async (t) => {
  t.is(await read('docs/configuration.md'), configReference(), 'run npm run docs:config');
});

/** Settings of compose itself: what it fills into the services' own. */
const OF_COMPOSE = new Set([
  'EPD_BIND',
  'EPD_GRAFANA_PASSWORD',
  'EPD_GRAFANA_PORT',
  'EPD_IMAGES',
  'EPD_MODEL',
  'EPD_HUB_CACHE',
  'EPD_MODELS',
  'EPD_PROMETHEUS_PORT',
  'EPD_REDIS_PASSWORD',
  'EPD_TAG',
]);

for (const path of [
  'infra/compose/compose.yaml',
  'infra/compose/compose.gpu.yaml',
  'infra/docker/Dockerfile',
  'docs/operations.md',
  'infra/helm/epd-fleet/values.yaml',
  'infra/helm/epd-fleet/templates/config.yaml',
]) {
  test(`${path} names no setting that there is not`, async (t) => {
    const named = (await read(path)).match(/\bEPD_[A-Z0-9_]+/g) ?? [];
    const names = settingNames();
    const unknown = named.filter((name) => !names.has(name) && !OF_COMPOSE.has(name));
    t.deepEqual([...new Set(unknown)], []);
  });
}
