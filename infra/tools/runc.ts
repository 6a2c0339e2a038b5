import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildah } from './buildah.ts';
import { debianPackages } from './debian.ts';

const PACKAGES = ['runc', 'libseccomp2'];
const NO_RIGHTS = { bounding: [], effective: [], permitted: [] };

export interface Container {
  readonly process: ChildProcess;
  /** Takes the container and its file system away; the process must have ended. */
  remove(): Promise<void>;
}

interface Mount {
  readonly source: string;
  readonly destination: string;
  readonly readonly?: boolean;
}

interface ImageConfig {
  readonly config: {
    readonly Cmd: readonly string[];
    readonly Env: readonly string[];
    readonly User: string;
    readonly WorkingDir: string;
  };
}

/**
 * Runs an image that buildah made, with Debian's runc: the root file system read-only, the image's own
 * user, no capabilities, no new privileges, the host's network. Needs root on Linux, and no engine.
 */
export async function runContainer(options: {
  readonly image: string;
  readonly name: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
}): Promise<Container> {
  const { image, name, folder, env } = options;
  const working = (await buildah(['from', '--pull-never', '--name', name, image])).trim();
  const root = (await buildah(['mount', working])).trim();
  const inspected = await buildah(['inspect', '--type', 'image', image]);
  const { Docker } = JSON.parse(inspected) as { Docker: ImageConfig };
  const bundle = join(folder, name);
  await mkdir(bundle, { recursive: true });
  const spec = specification(Docker.config, root, env, options.mounts);
  await writeFile(join(bundle, 'config.json'), JSON.stringify(spec));
  const tools = await debianPackages('runc', PACKAGES);
  const libraries = ['usr/lib', 'lib'].map((part) => join(tools, part, 'x86_64-linux-gnu'));
  const state = ['--root', join(folder, 'state')];
  const child = spawn(join(tools, 'usr/sbin/runc'), [...state, 'run', '--bundle', bundle, name], {
    env: { LD_LIBRARY_PATH: libraries.join(':') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    process: child,
    remove: async () => void (await buildah(['rm', working])),
  };
}

/** The process as it is seen from here, for what Linux knows of it. */
export async function statusOf(pid: number): Promise<ReadonlyMap<string, string>> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return new Map(status.split('\n').map((line) => line.split(':\t') as [string, string]));
}

function specification(
  { Cmd, Env, User, WorkingDir }: ImageConfig['config'],
  root: string,
  env: Readonly<Record<string, string>>,
  mounts: readonly Mount[],
): object {
  const [uid, gid] = User.split(':').map(Number);
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid, gid },
      args: Cmd,
      env: [...Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)],
      cwd: WorkingDir,
      capabilities: NO_RIGHTS,
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=1777'] },
      ...mounts.map(({ source, destination, readonly }) => ({
        destination,
        source,
        type: 'bind',
        options: ['rbind', readonly ? 'ro' : 'rw'],
      })),
    ],
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })) },
  };
}
