import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { projectPath } from '@epd/service';
import { debianPackages } from '../tools/debian.ts';
import { run } from '../tools/run.ts';

export interface RedisBinary {
  readonly path: string;
  /** What it reports of itself, such as `7.0.15`. */
  readonly version: string;
  /** Where its libraries are, when they are not the system's. */
  readonly libraries: string | null;
  readonly from: 'path' | 'package';
}

/** BullMQ's own advice; older servers lack commands that the product uses. */
const VERSION_MIN = [6, 2] as const;
const NAMES = ['redis-server', 'valkey-server'];
/** redis-server is a link into redis-tools; the libraries are those that a plain Debian lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'];

/** There is no Redis and none can be had. The message names the ways out. */
export class NoRedisError extends Error {
  override readonly name = 'NoRedisError';
  readonly code = 'no_redis';

  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      [
        'A Redis server is needed, and none was found on the path or could be unpacked from a Debian package.',
        ...reason.split('\n').map((line) => `    ${line}`),
        'Ways out, any one:',
        '  - your own: EPD_REDIS_URL=redis://host:6379 npm start',
        '  - Docker: docker run -d -p 6379:6379 valkey/valkey:8, then EPD_REDIS_URL=redis://127.0.0.1:6379 npm start',
        '  - a package: apt-get install redis-server (Debian, Ubuntu), brew install redis (macOS)',
      ].join('\n'),
      { cause },
    );
  }
}

/** A Redis or Valkey server: the path's, else Debian's package unpacked into the project's `.cache`. */
export async function redisBinary(
  say: (line: string) => void,
  path = process.env['PATH'] ?? '',
): Promise<RedisBinary> {
  const found = await onPath(path);
  if (found) return found;
  if (!existsSync(projectPath('.cache/debian/redis'))) {
    say(
      "redis             none on the path; unpacking Debian's package into .cache, not installing it (1.4 MB)",
    );
  }
  try {
    return await unpacked(await debianPackages('redis', PACKAGES));
  } catch (error) {
    throw new NoRedisError(error);
  }
}

async function onPath(path: string): Promise<RedisBinary | null> {
  for (const name of NAMES) {
    for (const folder of path.split(delimiter).filter(Boolean)) {
      const candidate = join(folder, name);
      const version = await versionOf(candidate, null).catch(() => null);
      if (version && recent(version))
        return { path: candidate, version, libraries: null, from: 'path' };
    }
  }
  return null;
}

async function unpacked(folder: string): Promise<RedisBinary> {
  const path = join(folder, 'usr/bin/redis-server');
  const libraries = await libraryPath(folder);
  return { path, version: await versionOf(path, libraries), libraries, from: 'package' };
}

/** Debian keeps libraries in a folder named after the architecture. */
async function libraryPath(folder: string): Promise<string> {
  const names = await readdir(join(folder, 'usr/lib'));
  const folders = names.filter((name) => name.includes('-linux-'));
  return folders.map((name) => join(folder, 'usr/lib', name)).join(delimiter);
}

async function versionOf(path: string, libraries: string | null): Promise<string> {
  const env = libraries === null ? {} : { LD_LIBRARY_PATH: libraries };
  const report = await run(path, ['--version'], { env, timeoutMs: 10_000 });
  const version = /v=(\d+\.\d+\.\d+)/.exec(report)?.[1];
  if (!version) throw new Error(`${path} does not tell its version: ${report.trim()}`);
  return version;
}

function recent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > VERSION_MIN[0] || (major === VERSION_MIN[0] && minor >= VERSION_MIN[1]);
}
