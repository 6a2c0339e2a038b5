import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { tempFolder } from '@epd/service/testing';
import test from 'ava';
import { withCurl } from '../ops/tools/curl.ts';
import { openapiTools } from '../ops/tools/openapi.ts';
import { run } from '../ops/tools/run.ts';
import { startFleet } from './helpers/fleet.ts';

const PICTURE = projectPath('models/tiny-vlm/golden/11-1.png');

/** A program over types that are made from the description: uploads, asks, and follows the answer. */
const CLIENT = `
import { readFile } from 'node:fs/promises';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.ts';

const [, , baseUrl = '', picture = ''] = process.argv;
const client = createClient<paths>({ baseUrl });
const bytes = await readFile(picture);

const uploaded = await client.POST('/v1/files', {
  body: { file: 'bear.png', purpose: 'vision' },
  bodySerializer: ({ file, purpose }) => {
    const form = new FormData();
    form.set('purpose', purpose);
    form.set('file', new File([bytes], file));
    return form;
  },
});
const file: components['schemas']['File'] | undefined = uploaded.data;
if (file === undefined) throw new Error(uploaded.error?.error.message);

const ask = () =>
  client.POST('/v1/jobs', {
    params: { header: { 'Idempotency-Key': 'once', Prefer: 'wait=0' } },
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { file_id: file.id } },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
    },
  });
const first = await ask();
const job: components['schemas']['Job'] | undefined = first.data;
if (job === undefined) throw new Error(first.error?.error.message);
const again = await ask();

const stream = await client.GET('/v1/jobs/{id}/events', {
  params: { path: { id: job.id }, header: { 'Last-Event-ID': '0' } },
  parseAs: 'stream',
});
let events = '';
const decoder = new TextDecoder();
for await (const chunk of stream.data as ReadableStream<Uint8Array>) events += decoder.decode(chunk, { stream: true });
const ended = await client.GET('/v1/jobs/{id}', { params: { path: { id: job.id } } });
const unknown = await client.GET('/v1/models/{id}', { params: { path: { id: 'nobody' } } });
console.log(
  JSON.stringify({
    same: again.data?.id === job.id,
    end: /event: end/.test(events),
    text: ended.data?.output?.text,
    code: unknown.error?.error.code,
  }),
);
`;

const OPTIONS = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
};

test('the description has no error for a linter, and a client that is generated from it compiles and works', async (t) => {
  t.timeout(240_000);
  const [tools, fleet, folder] = await Promise.all([openapiTools(), startFleet(t), tempFolder(t)]);
  const tool = (name: string) => join(tools, 'node_modules', name);
  const description = join(folder, 'openapi.json');
  const answer = await fetch(`${fleet.url}/openapi.json`);
  await writeFile(description, await answer.text());
  const env = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const node = (args: readonly string[]) => run(process.execPath, args, { cwd: folder, env });
  // Its findings go to stdout, and a program that fails shows what it wrote to stderr.
  const lint = [process.execPath, tool('@redocly/cli/bin/cli.js'), 'lint', '--format=stylish'];
  await run('sh', ['-c', '"$0" "$@" >&2', ...lint, description], { cwd: folder, env });

  await mkdir(join(folder, 'node_modules'));
  await symlink(projectPath('node_modules/@types'), join(folder, 'node_modules/@types'));
  for (const name of ['openapi-fetch', 'openapi-typescript-helpers'])
    await symlink(tool(name), join(folder, 'node_modules', name));
  await node([tool('openapi-typescript/bin/cli.js'), description, '-o', join(folder, 'api.ts')]);
  await writeFile(join(folder, 'package.json'), '{"type": "module"}');
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(OPTIONS));
  await writeFile(join(folder, 'client.ts'), CLIENT);
  await node([tool('typescript/bin/tsc')]);
  const said = await node(['client.ts', fleet.url, PICTURE]);
  t.like(JSON.parse(said), { same: true, end: true, code: 'model_not_found' });
  t.regex(said, /Bear/);
});

test('the quickstart that the description begins with runs as it stands', async (t) => {
  t.timeout(240_000);
  const fleet = await startFleet(t);
  const answer = await fetch(`${fleet.url}/openapi.json`);
  const { info } = (await answer.json()) as { info: { description: string } };
  const [, shell = ''] = /```sh\n(.+?)```/s.exec(info.description) ?? [];
  const here = shell.replace('http://localhost:8080', fleet.url);
  t.not(here, shell);
  const env = await withCurl();
  const job = JSON.parse(await run('sh', ['-c', here], { env: env as Record<string, string> })) as {
    status: string;
    usage: { images: object };
  };
  t.like(job, { status: 'completed', usage: { images: { encoded: 1, reused: 0 } } });
});
