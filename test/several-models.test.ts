import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startHubServer } from '@epd/hub/testing';
import { projectPath } from '@epd/service';
import { eventually } from '@epd/service/testing';
import { startFleet } from './helpers/fleet.ts';
import { goldenCases, goldenJob } from './helpers/golden.ts';
import { ask } from './helpers/jobs.ts';
import { miniatureCases, miniatureFolder, miniatureJob } from './helpers/miniature-jobs.ts';

const FOLDER = projectPath('models/tiny-vlm');
const HUB_MODEL = 'org/tiny:decoder=eager';
/** Of another family, with positions in a grid and DeepStack. */
const QWEN = 'qwen3_vl';
const pictured = goldenCases.filter(({ images }) => images.length > 0).slice(0, 10);

async function hubFiles(): Promise<Record<string, Buffer>> {
  const [top, graphs] = [await readdir(FOLDER), await readdir(join(FOLDER, 'onnx'))];
  const configuration = top.filter((name) => name.endsWith('.json'));
  const names = [...configuration, ...graphs.map((name) => `onnx/${name}`)];
  const files = names.map(async (name) => [name, await readFile(join(FOLDER, name))] as const);
  return Object.fromEntries(await Promise.all(files));
}

/** Models that have a PD worker. */
async function served(url: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/models`);
  const { data } = (await response.json()) as {
    data: { id: string; workers: { prefill_decode: number } }[];
  };
  return data.filter(({ workers }) => workers.prefill_decode > 0).map(({ id }) => id);
}

test.serial(
  'a fleet of three models, one by its name on the Hub and one of another family, answers mixed jobs as each alone',
  async (t) => {
    t.timeout(180_000);
    const hub = await startHubServer({ 'org/tiny': { files: await hubFiles() } });
    t.teardown(() => hub.close());
    const fleet = await startFleet(t);
    const fromHub = {
      EPD_MODEL: HUB_MODEL,
      HF_ENDPOINT: hub.url,
      HF_HOME: join(fleet.folder, 'huggingface'),
    };
    for (const env of [fromHub, { EPD_MODEL: miniatureFolder(QWEN) }]) {
      fleet.start('encoder', env);
      fleet.start('prefill-decode', env);
    }
    const models = [HUB_MODEL, QWEN, 'tiny-vlm'];
    await eventually(async () => (await served(fleet.url)).length === 3, { withinMs: 90_000 });
    t.deepEqual((await served(fleet.url)).toSorted(), models);

    for (const path of [HUB_MODEL, encodeURIComponent(HUB_MODEL)]) {
      t.is((await fetch(`${fleet.url}/v1/models/${path}`)).status, 200);
    }
    const unnamed = await fetch(`${fleet.url}/v1/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] }),
    });
    t.is(unnamed.status, 400);
    t.regex(await unnamed.text(), /model.*tiny-vlm/);

    const tiny = pictured.flatMap((golden) =>
      ['tiny-vlm', HUB_MODEL].map((model) => ({
        body: { ...goldenJob(golden), model },
        expected: golden.token_ids,
      })),
    );
    const qwen = miniatureCases(QWEN).map((golden) => ({
      body: { ...miniatureJob(golden), model: QWEN },
      expected: golden.tokens,
    }));
    const jobs = [...tiny, ...qwen];
    const answers = await Promise.all(jobs.map(({ body }) => ask(fleet.url, body)));
    for (const [index, answer] of answers.entries()) {
      t.deepEqual(
        answer.output?.token_ids,
        jobs[index]?.expected,
        `job ${index}: ${answer.error?.message}`,
      );
    }
    // Two models with one vision encoder share embeddings: each picture is encoded once for both.
    const encoded = answers
      .slice(0, tiny.length)
      .reduce((sum, { usage }) => sum + (usage?.images.encoded ?? 0), 0);
    t.true(encoded <= new Set(pictured.flatMap(({ images }) => images)).size);
  },
);
