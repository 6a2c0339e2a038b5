import { testRedisUrl } from '@epd/service/testing';
import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './helpers/temporary-folder.ts';

const README = new URL('../README.md', import.meta.url);
const INDEX = new URL('../src/index.ts', import.meta.url);

/** What the example leaves to its reader. */
const AROUND = {
  before: `
import { setTimeout as sleep } from 'node:timers/promises';
const encode = async () => ({ rows: 2, width: 576, dtype: 'F32' as const, data: new Uint8Array(2 * 576 * 4) });
const sha256 = ec.sha256Hex(Buffer.from('image'));
const job: ec.EncodeJob = {
  v: 1, model: 'my-model', fingerprint: 'f', tokens: 2, requestedAtMs: Date.now(),
  mmHash: ec.mmHash({ tenant: '', modality: 'image', fingerprint: 'f', processing: {}, contentSha256: sha256 }),
  input: { key: 'inputs/x', sha256, mediaType: 'image/png', bytes: 1, width: 1, height: 1 },
};`,
  after: `
console.log(loaded && ec.toFloat32(loaded.embedding).length);
process.exit();`,
};

test('the example of the README runs', async (t) => {
  const folder = await temporaryFolder(t);
  const [, example = ''] = /```ts\n(.*?)```/s.exec(await readFile(README, 'utf8')) ?? [];
  const [imports, body] = example.split('\n\nconst base');
  const prefix = `test-readme-${process.pid}`;
  const source = `${imports}${AROUND.before}\nconst base${body}${AROUND.after}`
    .replace("'@epd/connector'", `'${INDEX.href}'`)
    .replaceAll(
      /from '(bullmq|ioredis)'/g,
      (_, name: string) => `from '${import.meta.resolve(name)}'`,
    )
    .replace('new Redis({', `new Redis('${testRedisUrl()}', {`)
    .replace("'example'", `'${prefix}'`);
  await writeFile(join(folder, 'example.ts'), source);
  const child = spawn(process.execPath, ['example.ts'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  t.deepEqual(await once(child, 'exit'), [0, null]);
  t.is(output.trim(), String(2 * 576));
});
