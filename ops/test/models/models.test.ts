import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { startHubServer } from '@epd/hub/testing';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';

const run = promisify(execFile);
const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'];

async function command(t: ExecutionContext) {
  const graphs = GRAPHS.map((graph) => [`onnx/${graph}.onnx`, Buffer.alloc(2_000, graph)] as const);
  const files = { 'config.json': Buffer.from('{}'), ...Object.fromEntries(graphs) };
  const hub = await startHubServer({ 'org/vlm': { files } });
  t.teardown(() => hub.close());
  const env = { ...process.env, HF_HOME: await tempFolder(t), HF_ENDPOINT: hub.url };
  const models = (...args: string[]) =>
    run(process.execPath, [projectPath('ops/commands/models.ts'), ...args], { env });
  return { models, home: env.HF_HOME };
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

test('what is wrong is said in a line, without a stack', async (t) => {
  const { models } = await command(t);
  const error = await t.throwsAsync(models('pull', 'org/other'), { instanceOf: Error });
  const { stderr } = error as unknown as { stderr: string };
  t.regex(stderr, /no model org\/other/);
  t.notRegex(stderr, /\n\s+at /);
});
