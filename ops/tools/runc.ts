import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildah } from './buildah.ts';
import { debianPackages } from './debian.ts';
import { run } from './run.ts';

const PACKAGES = ['runc', 'libseccomp2'];
const NO_RIGHTS = { bounding: [], effective: [], permitted: [] };

export interface Container {
  readonly process: ChildProcess;
  /** The image's own health check: what an engine would run in the container. */
  readonly healthCheck: readonly string[];
  /** Runs a program beside the container's own, as its user; rejects when it ends with anything but 0. */
  exec(args: readonly string[]): Promise<string>;
  /** Ends what still runs in it, and takes its file system away. */
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
    readonly Healthcheck?: { readonly Test: readonly string[] };
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
  const { runc, libraries } = await tools();
  const state = ['--root', join(folder, 'state'), '--log', join(folder, 'runc.log')];
  const child = spawn(runc, [...state, 'run', '--bundle', bundle, name], {
    env: libraries,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    process: child,
    healthCheck: Docker.config.Healthcheck?.Test.slice(1) ?? [],
    exec: (args) => run(runc, [...state, 'exec', name, ...args], { env: libraries }),
    remove: async () => {
      await run(runc, [...state, 'delete', '--force', name], { env: libraries });
      await buildah(['rm', working]);
    },
  };
}

async function tools(): Promise<{ runc: string; libraries: Record<string, string> }> {
  const folder = await debianPackages('runc', PACKAGES);
  const parts = ['usr/lib', 'lib'].map((part) => join(folder, part, 'x86_64-linux-gnu'));
  return { runc: join(folder, 'usr/sbin/runc'), libraries: { LD_LIBRARY_PATH: parts.join(':') } };
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
