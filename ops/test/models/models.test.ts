import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { startHubServer } from '@epd/hub/testing';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';

const run = promisify(execFile);
const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'];

const SMALL: Readonly<Record<string, Buffer>> = {
  'config.json': Buffer.from('{}'),
  ...Object.fromEntries(GRAPHS.map((graph) => [`onnx/${graph}.onnx`, Buffer.alloc(2_000, graph)])),
};

/** The command, with a Hub that holds `org/vlm`. */
async function command(t: ExecutionContext, files = SMALL) {
  const hub = await startHubServer({ 'org/vlm': { files } });
  t.teardown(() => hub.close());
  const env = { ...process.env, HF_HOME: await tempFolder(t), HF_ENDPOINT: hub.url };
  const models = (...args: string[]) =>
    run(process.execPath, [projectPath('ops/commands/models.ts'), ...args], { env });
  return { models, hub, home: env.HF_HOME };
}

test('models are pulled, listed and removed', async (t) => {
  const { models, home } = await command(t);
  t.regex((await models('ls')).stdout, /holds no models/);
  const pulled = await models('pull', 'org/vlm', '--for', 'encoder');
  const folder = /is in (.+)/.exec(pulled.stdout)?.[1] ?? '';
  t.true(folder.startsWith(join(home, 'hub')));
  await t.notThrowsAsync(readFile(join(folder, 'onnx/vision_encoder.onnx')));
  await t.throwsAsync(readFile(join(folder, 'onnx/decoder_model_merged.onnx')));
  t.regex((await models('ls')).stdout, /org\/vlm .*main/);
  t.regex((await models('rm', 'org/vlm')).stdout, /org\/vlm is gone/);
  t.regex((await models('ls')).stdout, /holds no models/);
});

test('a model is checked: its family, its graphs and where they run, memory, the tokens of a picture', async (t) => {
  const { models } = await command(t);
  const { stdout } = await models('check', projectPath('models/tiny-vlm'), '--size', '640x480');
  t.regex(stdout, /family +idefics3, model_type \w+/);
  t.regex(stdout, /encoder +vision_encoder\.onnx, [\d.]+ MB/);
  t.regex(stdout, /prefill\/decode +decoder_model_merged\.onnx, [\d.]+ MB/);
  t.regex(stdout, /context +2048 tokens, each \d+ bytes/);
  t.regex(stdout, /memory +encoder about [\d.]+ MB, prefill\/decode about [\d.]+ MB/);
  t.regex(stdout, /picture +640x480 takes \d+ tokens of a prompt, \d+ of them embeddings/);
  const bad = await t.throwsAsync(models('check', 'org/vlm'), { instanceOf: Error });
  t.regex((bad as unknown as { stderr: string }).stderr, /config\.json/);
  const size = await t.throwsAsync(models('check', 'org/vlm', '--size', 'big'));
  t.regex((size as unknown as { stderr: string }).stderr, /--size.*1024x768.*big/s);
});

test('of a name on the Hub the configuration is fetched alone, and what the rest weighs is told', async (t) => {
  const tiny = projectPath('models/tiny-vlm');
  const names = await readdir(tiny, { withFileTypes: true });
  const files: Record<string, Buffer> = {};
  for (const { name } of names.filter((entry) => entry.isFile()))
    files[name] = await readFile(join(tiny, name));
  for (const graph of GRAPHS) files[`onnx/${graph}_fp16.onnx`] = Buffer.alloc(100_000);
  files['onnx/decoder_model_merged_fp16.onnx_data'] = Buffer.alloc(200_000);
  const { models, hub } = await command(t, files);
  const { stdout } = await models('check', 'org/vlm:fp16');
  t.regex(stdout, /prefill\/decode +decoder_model_merged_fp16\.onnx, 0\.3 MB, not fetched yet/);
  t.regex(stdout, /there are +.*embed_tokens_fp16\.onnx/);
  t.regex(stdout, /memory +encoder about 300\.1 MB, prefill\/decode about 300\.4 MB/);
  const asked = hub.requests.map(({ path }) => path);
  t.true(asked.some((path) => path.endsWith('/config.json')));
  t.deepEqual(
    asked.filter((path) => path.includes('.onnx')),
    [],
  );
});

test('what is wrong is said in a line, without a stack', async (t) => {
  const { models } = await command(t);
  const error = await t.throwsAsync(models('pull', 'org/other'), { instanceOf: Error });
  const { stderr } = error as unknown as { stderr: string };
  t.regex(stderr, /no model org\/other/);
  t.notRegex(stderr, /\n\s+at /);
});
