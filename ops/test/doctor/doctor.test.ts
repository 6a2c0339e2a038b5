import { spawn } from 'node:child_process';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { RedisModelRegistry } from '@epd/fleet';
import { fingerprint, modelCard, readModelFolder } from '@epd/model';
import { connectRedis, projectPath } from '@epd/service';
import { freePort, tempFolder, testPrefix, testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import type { Finding } from '../../doctor/finding.ts';

interface Test {
  teardown(cleanUp: () => Promise<void>): void;
}

interface Examination {
  readonly code: number | null;
  readonly output: string;
  readonly findings: readonly Finding[];
  readonly level: (check: string) => string | undefined;
}

/** The doctor as a process, on an installation of the test's own. */
async function examine(
  t: Test,
  env: Record<string, string> = {},
  options: readonly string[] = ['--json'],
): Promise<Examination> {
  const settings = {
    PATH: process.env['PATH'],
    EPD_REDIS_URL: testRedisUrl(),
    EPD_PREFIX: testPrefix(),
    EPD_STORE_DIR: join(await tempFolder(t), 'store'),
    ...env,
  };
  const main = projectPath('ops/doctor/main.ts');
  const child = spawn(process.execPath, [main, ...options], { env: settings });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.once('exit', resolve);
  });
  const findings = output.startsWith('[') ? (JSON.parse(output) as Finding[]) : [];
  const level = (check: string): string | undefined =>
    findings.find((finding) => finding.check === check)?.level;
  return { code, output: output + errors, findings, level };
}

test('a sound installation passes', async (t) => {
  const { code, level, findings } = await examine(t);
  t.deepEqual(
    findings.filter((finding) => finding.level === 'fail'),
    [],
  );
  t.is(code, 0);
  t.truthy(level('store put and get')); // slow on a busy machine is a warning
  const checks = ['redis version', 'redis rights', 'clock', 'store delete', 'store probe'];
  for (const check of [...checks, 'model', 'model graphs', 'decoder graph'])
    t.is(level(check), 'ok', check);
  t.is(level('execution provider cpu'), 'ok');
});

/** Most of the time goes into reading the model. */
const WITHOUT_MODEL = ['--json', '--skip-model'];

test('every finding that is not well says what to do', async (t) => {
  const { findings } = await examine(t, { EPD_MODEL_DIR: '/nowhere' });
  for (const { level, fix, check } of findings) if (level !== 'ok') t.truthy(fix, check);
});

test('a Redis that is not there fails, and the rest is looked at all the same', async (t) => {
  const url = `redis://:hush@127.0.0.1:${await freePort()}`;
  const { code, level, output } = await examine(t, { EPD_REDIS_URL: url }, WITHOUT_MODEL);
  t.is(code, 1);
  t.is(level('redis'), 'fail');
  t.not(level('store put and get'), 'fail'); // slow on a busy machine is a warning
  t.false(output.includes('hush'));
});

test('a Redis that wants another password says so, and not that it is away', async (t) => {
  const { hostname, port } = new URL(testRedisUrl());
  const url = `redis://nobody:hush@${hostname}:${port}`;
  const { findings } = await examine(t, { EPD_REDIS_URL: url }, WITHOUT_MODEL);
  t.like(findings[0], { check: 'redis', level: 'fail' });
  t.regex(findings[0]!.found, /WRONGPASS/);
  t.regex(findings[0]!.fix, /user and password into EPD_REDIS_URL/);
});

test('a store that cannot be written to fails', async (t) => {
  const file = join(await tempFolder(t), 'file');
  await writeFile(file, '');
  const { code, level } = await examine(t, { EPD_STORE_DIR: join(file, 'store') }, WITHOUT_MODEL);
  t.is(code, 1);
  t.is(level('store'), 'fail');
});

test('a model folder without a graph fails, one of another family too', async (t) => {
  const model = join(await tempFolder(t), 'tiny-vlm');
  await cp(projectPath('models/tiny-vlm'), model, {
    recursive: true,
    filter: (path) => !/golden|making/.test(path),
  });
  await rm(join(model, 'onnx/decoder_model_merged.onnx'));
  const graphs = await examine(t, { EPD_MODEL_DIR: model });
  t.is(graphs.level('model graphs'), 'fail');
  await writeFile(join(model, 'config.json'), '{"model_type":"bert"}');
  const family = await examine(t, { EPD_MODEL_DIR: model });
  t.is(family.level('model'), 'fail');
});

test('the vision encoder that is looked at is the variant that the workers take', async (t) => {
  const { findings } = await examine(t, { EPD_VISION_ENCODER: 'q4' });
  const graphs = findings.find(({ check }) => check === 'model graphs');
  t.is(graphs?.level, 'fail');
  t.regex(graphs?.fix ?? '', /vision_encoder_q4\.onnx/);
});

test('a provider that does not start is a warning beside one that does, and a failure alone', async (t) => {
  const both = await examine(t, { EPD_EXECUTION_PROVIDERS: 'nonsense,cpu' });
  t.is(both.level('execution provider nonsense'), 'warn');
  t.is(both.level('execution provider cpu'), 'ok');
  const alone = await examine(t, { EPD_EXECUTION_PROVIDERS: 'nonsense' });
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
  const half = await examine(t, { EPD_PREFIX: prefix });
  t.is(half.level('workers for tiny-vlm'), 'warn');
  t.is(half.level('model folder of tiny-vlm'), 'ok');
  const decoder = await registry.announce('prefill-decode', 'd1', {
    ...card,
    fingerprint: 'f'.repeat(64),
  });
  t.teardown(() => decoder.stop());
  const whole = await examine(t, { EPD_PREFIX: prefix });
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
  const { level, code } = await examine(t, env, WITHOUT_MODEL);
  t.is(level('api'), 'fail');
  t.is(level('api keys'), 'ok');
  t.is(code, 1);
  const tried = async (keys: string): Promise<Examination> =>
    examine(t, { ...env, EPD_API_KEYS: keys }, WITHOUT_MODEL);
  t.is((await tried('alice:the-key-of-alice')).level('api key'), 'ok');
  const { findings, level: unknown } = await tried('bob:the-key-of-bob-now');
  t.is(unknown('api key'), 'fail');
  t.false(JSON.stringify(findings).includes('the-key-of-bob'));
});

test('settings are read from a file that is named, and printed for people', async (t) => {
  const folder = await tempFolder(t);
  const file = join(folder, 'fleet.env');
  await mkdir(join(folder, 'else'));
  await writeFile(file, `EPD_STORE_DIR='${join(folder, 'else')}'\n`);
  const { output, code } = await examine(t, {}, ['--env', file, '--skip-model']);
  t.is(code, 0);
  t.true(output.startsWith(`Settings from ${file}`));
  t.regex(output, /0 to fix, \d to look at/);
  t.true(output.includes(join(folder, 'else')));
});

test('settings that cannot be read end with 2', async (t) => {
  const { code, output } = await examine(t, { EPD_REDIS_URL: 'http://not-redis' });
  t.is(code, 2);
  t.regex(output, /EPD_REDIS_URL/);
});
