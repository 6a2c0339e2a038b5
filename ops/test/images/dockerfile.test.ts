import { glob, readFile } from 'node:fs/promises';
import { projectPath } from '@epd/service';
import test from 'ava';
import { API_NODE_FLAGS } from '../../local/api-flags.ts';

const read = (path: string): Promise<string> => readFile(projectPath(path), 'utf8');

test('the manifest of every workspace goes into the images, or npm could not install from the lock', async (t) => {
  const { workspaces } = JSON.parse(await read('package.json')) as { workspaces: string[] };
  const dockerfile = await read('infra/docker/Dockerfile');
  const patterns = workspaces.map((workspace) => `${workspace}/package.json`);
  const manifests = await Array.fromAsync(glob(patterns, { cwd: projectPath('.') }));
  t.true(manifests.length > 6);
  for (const path of manifests) {
    const folder = path.replace(/package\.json$/, '');
    t.true(dockerfile.includes(`COPY ${path} ${folder}\n`), path);
  }
});

test('an API in its image has the options that the launcher gives it', async (t) => {
  const command = ['node', ...API_NODE_FLAGS, 'api/src/main.ts'];
  const dockerfile = await read('infra/docker/Dockerfile');
  t.true(dockerfile.includes(`\nCMD ${JSON.stringify(command).replaceAll(',', ', ')}\n`));
});
