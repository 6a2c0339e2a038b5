import { chmod, copyFile, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectPath } from '@epd/service';
import { cached } from './cache.ts';
import { debianPackages } from './debian.ts';
import { run } from './run.ts';

const PACKAGES = [
  'buildah',
  'debootstrap',
  'golang-github-containers-common',
  'golang-github-containers-image',
  'libassuan0',
  'libdevmapper1.02.1',
  'libgpgme11',
  'libseccomp2',
  'patchelf',
];
const LIBRARIES = projectPath('.cache/buildah-tools/usr/lib/x86_64-linux-gnu');
const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
const NPM = 'npm@11.19.1';
/** Images of a build, kept apart from those of an installed engine. */
const STORE = projectPath('.cache/buildah');

/**
 * Its folder. It starts itself again with an empty environment, so that where its libraries are must
 * be written into it.
 */
async function tools(): Promise<string> {
  const folder = await debianPackages('buildah', PACKAGES);
  return cached('buildah-tools', async (draft) => {
    await run('cp', ['-a', `${folder}/.`, draft]);
    const patchelf = join(draft, 'usr/bin/patchelf');
    await run(patchelf, ['--set-rpath', LIBRARIES, join(draft, 'usr/bin/buildah')]);
    await run('sh', ['-c', `cp -an ${draft}/lib/* ${draft}/usr/lib/`]);
    const policy = '{"default":[{"type":"insecureAcceptAnything"}]}';
    await writeFile(join(draft, 'usr/share/containers/policy.json'), policy);
  });
}

/** Runs buildah without an engine and without having been installed. Needs root on Linux. */
export async function buildah(args: readonly string[], timeoutMs = 1_800_000): Promise<string> {
  const folder = await tools();
  const policy = join(folder, 'usr/share/containers/policy.json');
  const store = ['--root', STORE, '--runroot', `${STORE}-run`, '--storage-driver', 'vfs'];
  return run(join(folder, 'usr/bin/buildah'), [...store, ...withPolicy(args, policy)], {
    env: { BUILDAH_ISOLATION: 'chroot' },
    timeoutMs,
  });
}

function withPolicy([command, ...rest]: readonly string[], policy: string): string[] {
  const reads = ['bud', 'commit', 'from', 'push'].includes(command!);
  return [command!, ...(reads ? ['--signature-policy', policy] : []), ...rest];
}

/**
 * Stand-ins for the two public images that the Dockerfile begins with, made of Debian's packages and
 * of the project's own Node: for a machine that reaches package registries and no image registry.
 */
export async function localBases(): Promise<{ build: string; runtime: string }> {
  const rootfs = await cached(`rootfs-${SUITE}`, bootstrap);
  const names = { build: 'localhost/epd-build', runtime: 'localhost/epd-runtime' };
  await image(names.runtime, rootfs);
  const withNode = await cached(`rootfs-${SUITE}-node`, (folder) => addNode(rootfs, folder));
  await image(names.build, withNode);
  return names;
}

async function bootstrap(folder: string): Promise<void> {
  const debian = await debianPackages('buildah', PACKAGES);
  await run(
    join(debian, 'usr/sbin/debootstrap'),
    ['--variant=minbase', '--include=ca-certificates', SUITE, folder, MIRROR],
    { env: { DEBOOTSTRAP_DIR: join(debian, 'usr/share/debootstrap') }, timeoutMs: 900_000 },
  );
  const waste = [
    'var/cache/apt/archives',
    'var/lib/apt/lists',
    'usr/share/doc',
    'usr/share/locale',
  ];
  for (const path of waste) await rm(join(folder, path), { recursive: true, force: true });
  await mkdir(join(folder, 'var/cache/apt/archives/partial'), { recursive: true });
  await mkdir(join(folder, 'var/lib/apt/lists/partial'), { recursive: true });
}

async function addNode(rootfs: string, folder: string): Promise<void> {
  await run('cp', ['-a', `${rootfs}/.`, folder]);
  await copyFile(process.execPath, join(folder, 'usr/local/bin/node'));
  await run('npm', ['pack', NPM, '--pack-destination', join(folder, 'tmp')]);
  const modules = join(folder, 'usr/local/lib/node_modules');
  await mkdir(modules, { recursive: true });
  await run('tar', ['-xzf', join(folder, `tmp/${NPM.replace('@', '-')}.tgz`), '-C', modules]);
  await cp(join(modules, 'package'), join(modules, 'npm'), { recursive: true });
  await rm(join(modules, 'package'), { recursive: true });
  const npm = join(folder, 'usr/local/bin/npm');
  await writeFile(
    npm,
    '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
  );
  await chmod(npm, 0o755);
  // Where downloads pass a proxy with a certificate of its own, the build must know it too.
  const authority = process.env['NODE_EXTRA_CA_CERTS'];
  if (authority) await copyFile(authority, join(folder, 'etc/ssl/certs/ca-certificates.crt'));
}

async function image(name: string, rootfs: string): Promise<void> {
  const exists = await buildah(['inspect', '--type', 'image', name]).catch(() => null);
  if (exists !== null) return;
  const container = (await buildah(['from', 'scratch'])).trim();
  await buildah(['add', '--quiet', container, rootfs, '/']);
  const ca = '/etc/ssl/certs/ca-certificates.crt';
  await buildah(['config', '--env', `NODE_EXTRA_CA_CERTS=${ca}`, '--cmd', 'bash', container]);
  await buildah(['commit', '--quiet', '--rm', container, name]);
}
