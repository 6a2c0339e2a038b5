import { guarded } from './guard.ts';
import type { ProcessSpec } from './managed-process.ts';
import type { RedisBinary } from './redis-binary.ts';

/** Long enough to write the memory to the append-only file. */
const STOP_MS = 10_000;

/**
 * A Redis on loopback that keeps what it was told: written to its append-only file, which reaches
 * the disk every second, and nothing is evicted, for a queue that forgets has lost a job.
 */
export function redisProcess(options: {
  readonly binary: RedisBinary;
  readonly port: number;
  /** Exists already. */
  readonly folder: string;
  readonly logFile: string;
  /** Off for tests, whose data is not kept. */
  readonly durable: boolean;
}): ProcessSpec {
  const { binary, port, folder, logFile, durable } = options;
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: folder,
    appendonly: durable ? 'yes' : 'no',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
    daemonize: 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const libraries = binary.libraries === null ? {} : { LD_LIBRARY_PATH: binary.libraries };
  return {
    name: 'redis',
    ...guarded(binary.path, args),
    env: { PATH: process.env['PATH'], ...libraries },
    logFile,
    stopMs: STOP_MS,
    lifeline: 'stdin',
  };
}
