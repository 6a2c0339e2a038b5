import { cp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { RedisModelRegistry } from '@epd/fleet';
import { fingerprint, modelCard, readModelFolder } from '@epd/model';
import { connectRedis, projectPath, readConfig } from '@epd/service';
import { freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test, { type ExecutionContext } from 'ava';
import { doctorConfig } from '../../doctor/config.ts';
import { examine } from '../../doctor/examine.ts';
import type { Finding } from '../../doctor/finding.ts';

interface Examination {
  readonly findings: readonly Finding[];
  readonly level: (check: string) => string | undefined;
}

/** What the doctor finds of an installation of the test's own. Reading the model takes most of the time. */
async function examined(
  t: ExecutionContext,
  env: Record<string, string> = {},
  { withModel = true } = {},
): Promise<Examination> {
  const config = readConfig(doctorConfig, {
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: testPrefix(),
    EPD_STORE_DIR: join(await tempFolder(t), 'store'),
    ...env,
  });
  const findings = await examine(config, { withModel });
  const level = (check: string): string | undefined =>
    findings.find((finding) => finding.check === check)?.level;
  return { findings, level };
}

test('every finding that is not well says what to do', async (t) => {
  const { findings } = await examined(t, { EPD_MODEL_DIR: '/nowhere' });
  for (const { level, fix, check } of findings) if (level !== 'ok') t.truthy(fix, check);
});

test('a Redis that wants another password says so, and not that it is down', async (t) => {
  const { hostname, port } = new URL(testRedisUrl());
  const url = `redis://nobody:hush@${hostname}:${port}`;
  const { findings } = await examined(t, { EPD_REDIS_URL: url }, { withModel: false });
  t.like(findings[0], { check: 'redis', level: 'fail' });
  t.regex(findings[0]!.found, /WRONGPASS/);
  t.regex(findings[0]!.fix, /user and password into EPD_REDIS_URL/);
});

test('a store that cannot be written to fails', async (t) => {
  const file = join(await tempFolder(t), 'file');
  await writeFile(file, '');
  const { level } = await examined(t, { EPD_STORE_DIR: join(file, 'store') }, { withModel: false });
  t.is(level('store'), 'fail');
});

test('a model folder without a graph fails, one of another family too', async (t) => {
  const model = join(await tempFolder(t), 'tiny-vlm');
  await cp(projectPath('models/tiny-vlm'), model, {
    recursive: true,
    filter: (path) => !/golden|making/.test(path),
  });
  await rm(join(model, 'onnx/decoder_model_merged.onnx'));
  const graphs = await examined(t, { EPD_MODEL_DIR: model });
  t.is(graphs.level('model graphs'), 'fail');
  await writeFile(join(model, 'config.json'), '{"model_type":"bert"}');
  const family = await examined(t, { EPD_MODEL_DIR: model });
  t.is(family.level('model'), 'fail');
});

test('the vision encoder that is looked at is the variant that the workers take', async (t) => {
  const { findings } = await examined(t, { EPD_VISION_ENCODER: 'q4' });
  const graphs = findings.find(({ check }) => check === 'model graphs');
  t.is(graphs?.level, 'fail');
  t.regex(graphs?.fix ?? '', /vision_encoder_q4\.onnx/);
});

test('a provider that does not start is a warning beside one that does, and a failure alone', async (t) => {
  const both = await examined(t, { EPD_EXECUTION_PROVIDERS: 'nonsense,cpu' });
  t.is(both.level('execution provider nonsense'), 'warn');
  t.is(both.level('execution provider cpu'), 'ok');
  const alone = await examined(t, { EPD_EXECUTION_PROVIDERS: 'nonsense' });
  t.is(alone.level('execution provider nonsense'), 'fail');
});

test('workers are counted, and those of another model folder found out', async (t) => {
  const prefix = testPrefix();
  const redis = connectRedis(testRedisUrl(), { name: 'test' });
  t.teardown(async () => redis.disconnect());
  const registry = new RedisModelRegistry(redis, prefix);
  const folder = await readModelFolder(projectPath('models/tiny-vlm'));
  const card = modelCard(folder, (await fingerprint(folder))!);
  const encoder = await registry.announce('encoder', 'e1', card);
  t.teardown(() => encoder.stop());
  const half = await examined(t, { EPD_PREFIX: prefix });
  t.is(half.level('workers for tiny-vlm'), 'warn');
  t.is(half.level('model folder of tiny-vlm'), 'ok');
  const decoder = await registry.announce('prefill-decode', 'd1', {
    ...card,
    fingerprint: 'f'.repeat(64),
  });
  t.teardown(() => decoder.stop());
  const whole = await examined(t, { EPD_PREFIX: prefix });
  t.is(whole.level('workers for tiny-vlm'), 'ok');
  t.is(whole.level('model folder of tiny-vlm'), 'fail');
});

test('an API is asked whether it is ready, wants a key and takes the one that it was given', async (t) => {
  const server = createServer(({ url, headers }, response) => {
    const known = headers.authorization === 'Bearer the-key-of-alice';
    const status = url === '/readyz' ? 503 : known ? 200 : 401;
    response.writeHead(status).end('{"redis":"unavailable"}');
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.teardown(async () => void server.close());
  const env = { EPD_API_URL: `http://127.0.0.1:${port}` };
  const { level } = await examined(t, env, { withModel: false });
  t.is(level('api'), 'fail');
  t.is(level('api keys'), 'ok');
  const tried = async (keys: string): Promise<Examination> =>
    examined(t, { ...env, EPD_API_KEYS: keys }, { withModel: false });
  t.is((await tried('alice:the-key-of-alice')).level('api key'), 'ok');
  const { findings, level: unknown } = await tried('bob:the-key-of-bob-now');
  t.is(unknown('api key'), 'fail');
  t.false(JSON.stringify(findings).includes('the-key-of-bob'));
});
